"""Django's authentication backend: permissions by role."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from accounts.models import ADMINISTRATORS, Role, User


class RoleBackend(ModelBackend):
    """Permissions of Django's admin site; the administrators' group follows from the role.

    It authenticates no one: only the sign-in pipeline checks passwords, because it limits and records attempts.
    """

    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> None:
        return None

    def user_can_authenticate(self, user: Any) -> bool:
        return isinstance(user, User) and user.may_log_in()

    def _get_group_permissions(self, user_obj: User) -> QuerySet[Permission]:
        groups = Q(group__user=user_obj)
        if user_obj.role == Role.ADMIN:
            groups |= Q(group__name=ADMINISTRATORS)
        return Permission.objects.filter(groups).distinct()
