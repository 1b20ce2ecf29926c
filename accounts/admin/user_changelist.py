"""The rows of the list of users."""

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest


class UserChangeList(ChangeList):
    """Reads the annotations of the listed rows alone.

    PostgreSQL does not know how few rows a page takes, and works some annotations out for all accounts beforehand.
    """

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        ids = list(self.result_list.prefetch_related(None).values_list("pk", flat=True))
        users = self.root_queryset.in_bulk(ids)
        self.result_list = [users[pk] for pk in ids if pk in users]
