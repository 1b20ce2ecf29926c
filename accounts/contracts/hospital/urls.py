"""The paths of the hospital contract."""

from django.urls import path, re_path

from accounts.contracts.hospital import views

ANY_METHOD = ("get", "post", "put", "patch", "delete")

urlpatterns = [
    path("register", views.RegistrationViewSet.as_view({"post": "register"})),
    path("login", views.SignInViewSet.as_view({"post": "login"})),
    path("profile", views.ProfileViewSet.as_view({"get": "retrieve", "put": "update"})),
    path("logout", views.ProfileViewSet.as_view({"post": "logout"})),
    path("users", views.UserViewSet.as_view({"get": "list"})),
    re_path(r"", views.NotFoundViewSet.as_view(dict.fromkeys(ANY_METHOD, "nothing"))),
]
