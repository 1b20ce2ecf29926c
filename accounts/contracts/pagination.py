"""The pages of a list."""

from rest_framework import pagination


class PageNumberPagination(pagination.PageNumberPagination):
    """Pages of a list: `count`, `next`, `previous` and `results`."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100
