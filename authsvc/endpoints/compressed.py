"""A document that is the same for everybody: compressed once, and not sent again to a client that has it."""

import gzip
import hashlib
import re
from dataclasses import dataclass, field
from typing import Final, Self

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags

# An item of `Accept-Encoding` that allows gzip (RFC 9110, 12.5.3); a weight of zero forbids it.
_GZIP: Final = re.compile(r"\s*(?:gzip|x-gzip)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$)[0-9.]+\s*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CompressedDocument:
    """A document, its compressed form, and a weak entity tag, which stands for both."""

    plain: bytes = field(repr=False)
    compressed: bytes = field(repr=False)
    content_type: str
    etag: str

    @classmethod
    def of(cls, plain: bytes, content_type: str) -> Self:
        """Return a document of these bytes."""
        return cls(plain, gzip.compress(plain, mtime=0), content_type, f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"')

    def response(self, request: HttpRequest) -> HttpResponse:
        """Return the document in a form that the client accepts, or 304 where the client has it already."""
        # A cache asks each time, because the next release has another description.
        headers = {"ETag": self.etag, "Vary": "Accept-Encoding", "Cache-Control": "no-cache"}
        known = {tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))}
        if known & {"*", self.etag.removeprefix("W/")}:
            return HttpResponseNotModified(headers=headers)
        if any(_GZIP.fullmatch(item) for item in request.headers.get("Accept-Encoding", "").split(",")):
            headers["Content-Encoding"] = "gzip"
            return HttpResponse(self.compressed, content_type=self.content_type, headers=headers)
        return HttpResponse(self.plain, content_type=self.content_type, headers=headers)
