"""The paths of the portal contract."""

from django.urls import path

from accounts.contracts.portal import views
from accounts.contracts.portal.contract import CONTRACT
from accounts.contracts.viewsets import not_found_route

urlpatterns = [
    path("login", views.SignInViewSet.as_view({"post": "login"})),
    path("register", views.RegistrationViewSet.as_view({"post": "register"})),
    path("profile", views.ProfileViewSet.as_view({"get": "retrieve"})),
    path("refresh", views.SignInViewSet.as_view({"post": "refresh"})),
    path("logout", views.SignInViewSet.as_view({"post": "logout"})),
    not_found_route(CONTRACT),
]
