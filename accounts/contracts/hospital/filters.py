"""How the hospital contract's list is filtered and paged."""

import unicodedata
from typing import Any

from django.db.models import Q, QuerySet
from django_filters import rest_framework as django_filters
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User

LONGEST_TERM = 100
DEFAULT_PER_PAGE = 10
MOST_PER_PAGE = 100
# Beyond any table, and small enough for any database to multiply.
LAST_PAGE = 10**9


class UserFilter(django_filters.FilterSet):
    role = django_filters.CharFilter(help_text="An unknown one is nobody's.")
    search = django_filters.CharFilter(
        method="search_people",
        max_length=LONGEST_TERM,
        strip=False,
        help_text="Part of a user name, a full name or an address.",
    )

    class Meta:
        model = User
        fields: tuple[str, ...] = ()

    def search_people(self, users: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """Return the users whose name, full name or address has the text, whatever its case."""
        key = unicodedata.normalize("NFKC", value).casefold()
        return users.filter(
            Q(username_key__contains=key) | Q(full_name__icontains=value) | Q(email_key__contains=value.casefold())
        )


def bounded(text: str, default: int, most: int) -> int:
    """Return the number that the text is, at most `most`; for anything but a positive number, the default."""
    digits = text.lstrip("0")
    if not (digits.isascii() and digits.isdigit()):
        return default
    return most if len(digits) > len(str(most)) else min(int(digits), most)


def _parameter(name: str, bounds: dict[str, int]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": {"type": "integer", **bounds}}


class Pages(BasePagination):
    """Pages as the document prints them; nonsense gives the first, and a page past the end is empty."""

    def paginate_queryset(  # type: ignore[override]  # Only querysets come here.
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any]:
        self.page = bounded(request.query_params.get("page", ""), 1, LAST_PAGE)
        self.per_page = bounded(request.query_params.get("per_page", ""), DEFAULT_PER_PAGE, MOST_PER_PAGE)
        self.total = queryset.count()
        first = (self.page - 1) * self.per_page
        return list(queryset[first : first + self.per_page]) if first < self.total else []

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            _parameter("page", {"minimum": 1, "default": 1}),
            _parameter("per_page", {"minimum": 1, "maximum": MOST_PER_PAGE, "default": DEFAULT_PER_PAGE}),
        ]

    def get_paginated_response(self, data: Any) -> Response:
        pagination = {
            "total": self.total,
            "page": self.page,
            "per_page": self.per_page,
            "pages": -(-self.total // self.per_page),
        }
        return Response({"items": data, "pagination": pagination})
