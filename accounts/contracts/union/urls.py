"""The paths of the union contract."""

from django.urls import path, re_path

from accounts.contracts.union import views

ANY_METHOD = ("get", "post", "put", "patch", "delete")

urlpatterns = [
    path("register", views.RegistrationViewSet.as_view({"post": "register"})),
    path("login", views.SignInViewSet.as_view({"post": "login"})),
    path("user/info", views.UserViewSet.as_view({"get": "info"})),
    re_path(r"", views.NotFoundViewSet.as_view(dict.fromkeys(ANY_METHOD, "nothing"))),
]
