"""The logo on the admin site: an image file that the operator provides."""

from pathlib import Path
from typing import Final

MAX_BYTES: Final = 256 * 1024
# The media type of each kind of file, and its first bytes.
_KINDS: Final = {
    ".svg": ("image/svg+xml", (b"<",)),
    ".png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".gif": ("image/gif", (b"GIF87a", b"GIF89a")),
    ".webp": ("image/webp", (b"RIFF",)),
}


def validated(path: Path) -> Path:
    """Return the path of an image file that browsers can show. Raises ValueError with the reason."""
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"the extension of {path.name} is not one of {', '.join(_KINDS)}")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path.name} is larger than {MAX_BYTES // 1024} KiB")
    if not content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(kind[1]):
        raise ValueError(f"{path.name} is not valid {path.suffix.lower().removeprefix('.').upper()}")
    return path


def content_type(path: Path) -> str:
    """Return the media type of a file that has been validated."""
    return _KINDS[path.suffix.lower()][0]
