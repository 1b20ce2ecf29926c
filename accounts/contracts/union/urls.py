"""The paths of the union contract."""

from django.urls import path

from accounts.contracts.union import views
from accounts.contracts.union.contract import CONTRACT
from accounts.contracts.viewsets import not_found_route

urlpatterns = [
    path("register", views.RegistrationViewSet.as_view({"post": "register"})),
    path("login", views.SignInViewSet.as_view({"post": "login"})),
    path("user/info", views.UserViewSet.as_view({"get": "info"})),
    not_found_route(CONTRACT),
]
