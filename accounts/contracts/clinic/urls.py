"""The paths of the clinic contract."""

from django.urls import path

from accounts.contracts.clinic import views
from accounts.contracts.clinic.contract import CONTRACT
from accounts.contracts.viewsets import not_found_route

RESET = views.ResetViewSet.as_view({"post": "reset"})

urlpatterns = [
    path("register", views.RegistrationViewSet.as_view({"post": "register"})),
    path("login", views.SignInViewSet.as_view({"post": "login"})),
    path("me", views.MeViewSet.as_view({"get": "retrieve"})),
    path("logout", views.SignInViewSet.as_view({"post": "logout"})),
    path("refresh_token", views.RefreshViewSet.as_view({"post": "refresh"})),
    # The document spells it both ways.
    path("reset_password", RESET),
    path("reset-password", RESET),
    not_found_route(CONTRACT),
]
