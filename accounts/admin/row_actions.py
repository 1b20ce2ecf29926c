"""Lists whose rows have a button for one confirmed action."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.common import actor_of
from accounts.admin.confirmed_actions import ConfirmedActionsAdmin


class RowActionAdmin(ConfirmedActionsAdmin):
    """A list with a button in each row, for those with the permission of `row_action`."""

    row_action: ClassVar[str]

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = super().get_list_display(request)
        if self.row_action not in self.permitted_actions(request):
            return columns
        return (*columns, self._button(request))

    def _button(self, request: HttpRequest) -> Callable[[Any], SafeString | str]:
        action, actor = self.confirmed_actions[self.row_action], actor_of(request)
        # A button of the list's own form, because forms cannot contain forms.
        url = f"{self.action_url(self.row_action)}?{request.GET.urlencode()}"

        @admin.display(description=_("action"))
        def row_button(obj: Any) -> SafeString | str:
            if not (self.may_change(actor, obj) and action.is_for(obj, actor)):
                return "-"
            return format_html(
                '<button type="submit" class="button row-action" formaction="{}" name="ids" value="{}">{}</button>',
                url,
                obj.pk,
                action.label,
            )

        return row_button
