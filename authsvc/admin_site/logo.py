"""The picture that stands for the service on the admin site: a file of the operator's."""

from pathlib import Path
from typing import Final

LARGEST: Final = 256 * 1024
# What each kind of file is called on the wire, and what its first bytes are.
_KINDS: Final = {
    ".svg": ("image/svg+xml", (b"<",)),
    ".png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".gif": ("image/gif", (b"GIF87a", b"GIF89a")),
    ".webp": ("image/webp", (b"RIFF",)),
}


def checked(path: Path) -> Path:
    """Return the path of a file that browsers can show. Raises ValueError, which says why it is none."""
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"{path.name} ends in none of {', '.join(_KINDS)}")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise ValueError(f"{path.name} is larger than {LARGEST // 1024} KiB")
    if not content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(kind[1]):
        raise ValueError(f"{path.name} is no {path.suffix.lower().removeprefix('.').upper()} file")
    return path


def content_type(path: Path) -> str:
    """Return the type of a file that has been checked."""
    return _KINDS[path.suffix.lower()][0]
