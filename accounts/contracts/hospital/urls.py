"""The paths of the hospital contract."""

from django.urls import path

from accounts.contracts.hospital import views
from accounts.contracts.hospital.contract import CONTRACT
from accounts.contracts.viewsets import not_found_route

urlpatterns = [
    path("register", views.RegistrationViewSet.as_view({"post": "register"})),
    path("login", views.SignInViewSet.as_view({"post": "login"})),
    path("profile", views.ProfileViewSet.as_view({"get": "retrieve", "put": "update"})),
    path("logout", views.ProfileViewSet.as_view({"post": "logout"})),
    path("users", views.UserViewSet.as_view({"get": "list"})),
    not_found_route(CONTRACT),
]
