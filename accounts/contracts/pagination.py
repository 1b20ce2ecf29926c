"""The pages of a list."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import pagination
from rest_framework.request import Request

from accounts.errors import InvalidInput, Problem

# Larger than any table, and small enough for the arithmetic of any database.
MAX_PAGE: Final = 10**9


def positive_integer(text: str, largest: int) -> int | None:
    """Return the positive integer of a text, at most `largest`, or None where the text is not one."""
    digits = text.lstrip("0")
    if not (digits.isascii() and digits.isdigit()):
        return None
    return largest if len(digits) > len(str(largest)) else min(int(digits), largest)


def not_positive(*names: str) -> InvalidInput:
    """Return the error of parameters that are not positive integers."""
    return InvalidInput({name: [Problem("invalid", _("Enter a whole number of at least 1."))] for name in names})


def integer_parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    """Return the description of an optional integer in the query."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "integer", **schema},
    }


class PageNumberPagination(pagination.PageNumberPagination):
    """Pages of a list: `count`, `next`, `previous` and `results`."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """Return the rows of the page. Raises InvalidInput, and NotFound for a page after the last."""
        invalid = [
            name
            for name in (self.page_query_param, self.page_size_query_param)
            if name in request.query_params and positive_integer(request.query_params[name], MAX_PAGE) is None
        ]
        if invalid:
            raise not_positive(*invalid)
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        size = positive_integer(request.query_params.get(self.page_size_query_param, ""), self.max_page_size)
        return size or self.page_size

    def get_page_number(self, request: Request, paginator: Any) -> int:
        return positive_integer(request.query_params.get(self.page_query_param, ""), MAX_PAGE) or 1

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size_description = f"Rows of a page; a number over {self.max_page_size} counts as {self.max_page_size}."
        return [
            integer_parameter(self.page_query_param, "Number of the page.", minimum=1, default=1),
            integer_parameter(self.page_size_query_param, size_description, minimum=1, default=self.page_size),
        ]
