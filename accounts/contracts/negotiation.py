"""Content negotiation: a contract reads and writes one media type."""

from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class UnsupportedContentEncoding(UnsupportedMediaType):
    """The body is compressed. A small one may expand to gigabytes, so none is read."""


class IgnoreAcceptNegotiation(BaseContentNegotiation):
    """Uses the contract's media type, whatever `Accept` asks for: a legacy client always gets JSON."""

    def select_parser(self, request: Request, parsers: list[BaseParser]) -> BaseParser | None:  # type: ignore[override]
        if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
            raise UnsupportedContentEncoding(request.content_type or "")
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type or ""
