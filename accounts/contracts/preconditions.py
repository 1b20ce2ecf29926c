"""Conditional requests (RFC 9110, section 13): entity tags of versions, and `If-Match`."""

from django.utils.http import parse_etags
from rest_framework.request import Request


def entity_tag(version: str) -> str:
    """Return the strong entity tag of a version."""
    return f'"{version}"'


def required_versions(request: Request) -> frozenset[str] | None:
    """Return the versions that `If-Match` names, or None where the request has none or `*`, which any version matches.

    The comparison is strong: a weak entity tag, and what is no entity tag, names no version.
    """
    header = request.META.get("HTTP_IF_MATCH")
    tags = parse_etags(header) if header is not None else ["*"]
    return None if tags == ["*"] else frozenset(tag.strip('"') for tag in tags if tag.startswith('"'))
