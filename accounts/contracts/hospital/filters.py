"""The query parameters of the hospital contract's list."""

import unicodedata
from typing import Any

from django.db.models import Q, QuerySet
from django_filters import rest_framework as django_filters
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.contracts.pagination import MAX_PAGE, integer_parameter, positive_integer
from accounts.models import User

LONGEST_TERM = 100
DEFAULT_PER_PAGE = 10
MAX_PER_PAGE = 100
_ANY_VALUE = "What is not a positive integer counts as"


class UserFilter(django_filters.FilterSet):
    role = django_filters.CharFilter(help_text="An unknown role returns an empty list.")
    search = django_filters.CharFilter(
        method="search_users",
        max_length=LONGEST_TERM,
        strip=False,
        help_text="Part of a user name, full name or e-mail address; case-insensitive.",
    )

    class Meta:
        model = User
        fields: tuple[str, ...] = ()

    def search_users(self, users: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """Return the users whose user name, full name or e-mail address contains the text."""
        key = unicodedata.normalize("NFKC", value).casefold()
        return users.filter(
            Q(username_key__contains=key) | Q(full_name__icontains=value) | Q(email_key__contains=value.casefold())
        )


class PerPagePagination(BasePagination):
    """The document's pages. An invalid number selects the first page, and a page after the last is empty."""

    def paginate_queryset(  # type: ignore[override]  # It paginates querysets only.
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any]:
        query = request.query_params
        self.page = positive_integer(query.get("page", ""), MAX_PAGE) or 1
        self.per_page = positive_integer(query.get("per_page", ""), MAX_PER_PAGE) or DEFAULT_PER_PAGE
        self.total = queryset.count()
        first = (self.page - 1) * self.per_page
        return list(queryset[first : first + self.per_page]) if first < self.total else []

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            integer_parameter("page", f"Number of the page. {_ANY_VALUE} 1.", default=1),
            integer_parameter(
                "per_page",
                f"Users of a page; a number over {MAX_PER_PAGE} counts as {MAX_PER_PAGE}. "
                f"{_ANY_VALUE} {DEFAULT_PER_PAGE}.",
                default=DEFAULT_PER_PAGE,
            ),
        ]

    def get_paginated_response(self, data: Any) -> Response:
        pagination = {
            "total": self.total,
            "page": self.page,
            "per_page": self.per_page,
            "pages": -(-self.total // self.per_page),
        }
        return Response({"items": data, "pagination": pagination})
