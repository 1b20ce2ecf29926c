"""What an import reads: a database by its URL, or a file. Rows are streamed, whatever their number."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from accounts.services.importing import databases, files
from accounts.services.importing.errors import UnreadableSource
from accounts.services.importing.systems import FormerSystem

Row = Mapping[str, Any]
_FILES: Final = {
    ".csv": files.csv_rows,
    ".json": files.json_rows,
    ".jsonl": files.json_lines,
    ".ndjson": files.json_lines,
}


class Source(Protocol):
    """An open source."""

    def people(self) -> Iterator[Row]:
        """Yield the rows of people, by the names of their columns. Raises UnreadableSource."""

    def logs(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of former login attempts in the order of `LoginLogs.columns`. Raises UnreadableSource."""


class _File:
    def __init__(self, path: Path) -> None:
        self._path = path

    def people(self) -> Iterator[Row]:
        return _FILES[self._path.suffix.lower()](self._path)

    def logs(self) -> Iterator[tuple[Any, ...]]:
        return iter(())


@contextmanager
def opened(source: str, system: FormerSystem) -> Iterator[Source]:
    """Open a database URL or a file for reading alone. Raises UnreadableSource."""
    if "://" in source:
        with databases.connected(source) as connection:
            yield databases.DatabaseSource(connection, system)
        return
    path = Path(source)
    if path.suffix.lower() not in _FILES:
        raise UnreadableSource(f"{source} is neither a database URL nor a file named *{', *'.join(_FILES)}.")
    if not path.is_file():
        raise UnreadableSource(f"{source} is not a file.")
    yield _File(path)


def without_password(source: str) -> str:
    """Return how messages and the trail name a source: a URL without its user and password."""
    if "://" not in source:
        return source
    parts = urlsplit(source)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
