"""The paths of the clinic contract."""

from django.urls import path, re_path

from accounts.contracts.clinic import views

ANY_METHOD = ("get", "post", "put", "patch", "delete")
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
    re_path(r"", views.NotFoundViewSet.as_view(dict.fromkeys(ANY_METHOD, "nothing"))),
]
