"""The paths of the native contract."""

from django.urls import path

from accounts.contracts.native import administrator_views, code_views, factor_views, login_views, views
from accounts.contracts.native.contract import CONTRACT
from accounts.contracts.viewsets import not_found_route

urlpatterns = [
    # The patterns are tried in this order: these two are asked for most.
    path("me", views.MeViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("refresh", views.TokenViewSet.as_view({"post": "refresh"})),
    path("register", views.RegistrationViewSet.as_view({"post": "register"})),
    path("login", login_views.LoginViewSet.as_view({"post": "login"})),
    path("login/second-factor", login_views.LoginViewSet.as_view({"post": "second_factor"})),
    path("login/second-factor/options", login_views.LoginViewSet.as_view({"post": "second_factor_options"})),
    path("login/change-password", login_views.LoginViewSet.as_view({"post": "change_password"})),
    path("login/passkey", login_views.LoginViewSet.as_view({"post": "passkey"})),
    path("login/passkey/options", login_views.LoginViewSet.as_view({"post": "passkey_options"})),
    path("logout", views.TokenViewSet.as_view({"post": "logout"})),
    path("logout-all", views.TokenViewSet.as_view({"post": "logout_all"})),
    path("change-password", views.MeViewSet.as_view({"post": "change_password"})),
    path("request-reset-code", code_views.RecoveryViewSet.as_view({"post": "request_code"})),
    path("reset-password", code_views.RecoveryViewSet.as_view({"post": "reset_password"})),
    path("request-verification", code_views.VerificationViewSet.as_view({"post": "request_code"})),
    path("verify", code_views.VerificationViewSet.as_view({"post": "verify"})),
    path("mfa", factor_views.FactorViewSet.as_view({"get": "retrieve"})),
    path("mfa/<int:factor_id>", factor_views.FactorViewSet.as_view({"delete": "destroy"})),
    path("mfa/recovery-codes", factor_views.FactorViewSet.as_view({"post": "replace_recovery_codes"})),
    path("mfa/totp", factor_views.EnrollmentViewSet.as_view({"post": "begin_app"})),
    path("mfa/totp/<int:factor_id>/confirm", factor_views.EnrollmentViewSet.as_view({"post": "confirm_app"})),
    path("mfa/webauthn", factor_views.EnrollmentViewSet.as_view({"post": "add_credential"})),
    path("mfa/webauthn/options", factor_views.EnrollmentViewSet.as_view({"post": "credential_options"})),
    path("sessions", views.SessionViewSet.as_view({"get": "list"})),
    path("sessions/<uuid:session_id>", views.SessionViewSet.as_view({"delete": "destroy"})),
    path("users", administrator_views.UserViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "users/<int:user_id>", administrator_views.UserViewSet.as_view({"get": "retrieve", "patch": "partial_update"})
    ),
    path("users/<int:user_id>/activate", administrator_views.UserViewSet.as_view({"post": "activate"})),
    path("users/<int:user_id>/deactivate", administrator_views.UserViewSet.as_view({"post": "deactivate"})),
    path("users/<int:user_id>/approve", administrator_views.UserViewSet.as_view({"post": "approve"})),
    path("users/<int:user_id>/unlock", administrator_views.UserViewSet.as_view({"post": "unlock"})),
    path(
        "users/<int:user_id>/remove-second-factors",
        administrator_views.UserViewSet.as_view({"post": "remove_second_factors"}),
    ),
    path("users/<int:user_id>/logout-all", administrator_views.UserViewSet.as_view({"post": "logout_all"})),
    path("users/<int:user_id>/sessions", administrator_views.UserSessionViewSet.as_view({"get": "list"})),
    path(
        "users/<int:user_id>/sessions/<uuid:session_id>",
        administrator_views.UserSessionViewSet.as_view({"delete": "destroy"}),
    ),
    path("security-events", administrator_views.SecurityEventViewSet.as_view({"get": "list"})),
    path("login-attempts", administrator_views.LoginAttemptViewSet.as_view({"get": "list"})),
    not_found_route(CONTRACT),
]
