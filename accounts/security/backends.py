"""Django's authentication backend: permissions by role and group."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from accounts.models import Role, User
from accounts.security.duties import PERMISSIONS, effective_groups


class RoleBackend(ModelBackend):
    """Permissions of the admin site and of the operations for administrators; those of groups follow from the duties.

    It authenticates no one: only the sign-in pipeline checks passwords, because it limits and records attempts.
    """

    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> None:
        return None

    def user_can_authenticate(self, user: Any) -> bool:
        return isinstance(user, User) and user.may_log_in()

    def _get_permissions(self, user_obj: Any, obj: Any, from_name: str) -> set[str]:
        if user_obj.is_superuser or not user_obj.is_active or obj is not None:
            permissions: set[str] = super()._get_permissions(user_obj, obj, from_name)  # type: ignore[misc]
            return permissions
        if from_name == "user":
            # Permissions of one user would be beside the separation of duties; the service grants none.
            return set()
        # The groups of role admin have no effect beside those of the role.
        held = () if user_obj.role == Role.ADMIN else user_obj.groups.values_list("name", flat=True)
        return set().union(*(PERMISSIONS[group] for group in effective_groups(user_obj.role, set(held))))
