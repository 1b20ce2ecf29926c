"""The paths of the portal contract."""

from django.urls import path, re_path

from accounts.contracts.portal import views

ANY_METHOD = ("get", "post", "put", "patch", "delete")

urlpatterns = [
    path("login", views.SignInViewSet.as_view({"post": "login"})),
    path("register", views.RegistrationViewSet.as_view({"post": "register"})),
    path("profile", views.ProfileViewSet.as_view({"get": "retrieve"})),
    path("refresh", views.SignInViewSet.as_view({"post": "refresh"})),
    path("logout", views.SignInViewSet.as_view({"post": "logout"})),
    re_path(r"", views.NotFoundViewSet.as_view(dict.fromkeys(ANY_METHOD, "nothing"))),
]
