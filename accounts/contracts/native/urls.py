from django.urls import path, re_path

from accounts.contracts.native import views

ANY_METHOD = ("get", "post", "put", "patch", "delete")

urlpatterns = [
    path("register", views.RegistrationViewSet.as_view({"post": "register"})),
    path("login", views.SessionViewSet.as_view({"post": "login"})),
    path("refresh", views.SessionViewSet.as_view({"post": "refresh"})),
    path("logout", views.SessionViewSet.as_view({"post": "logout"})),
    path("me", views.MeViewSet.as_view({"get": "retrieve"})),
    re_path(r"", views.NothingViewSet.as_view(dict.fromkeys(ANY_METHOD, "nothing"))),
]
