"""The map in docs/architecture.md: every package and module, with the first line of its docstring.

`python -m authsvc.tests.module_map` writes it anew.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PAGE: Final = ROOT / "docs/architecture.md"
PACKAGES: Final = ("authsvc", "accounts", "audit")
_LEFT_OUT: Final = frozenset({"tests", "migrations", "__pycache__"})
_INDENT: Final = "  "
_COLUMN: Final = 30
_BLOCK: Final = re.compile(r"(?<=<!-- module map -->\n```text\n).*?(?=```\n)", re.DOTALL)


def summary(module: Path) -> str:
    """Return the first line of a module's docstring without its full stop, or nothing where there is none."""
    if not module.exists():
        return ""
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].removesuffix(".")


def module_map() -> str:
    """Return the map as the packages are now."""
    return "".join(f"{line.rstrip()}\n" for package in PACKAGES for line in _lines(ROOT / package, 0))


def printed_map() -> str:
    """Return the map as the page has it."""
    match = _BLOCK.search(PAGE.read_text(encoding="utf-8"))
    assert match, "docs/architecture.md has no module map."
    return match[0]


def modules(package: Path) -> Iterator[Path]:
    """Yield the modules of a package and of the packages in it, `__init__` included."""
    for path in sorted(package.glob("**/*.py")):
        if not _LEFT_OUT.intersection(path.relative_to(ROOT).parts):
            yield path


def _lines(package: Path, depth: int) -> Iterator[str]:
    yield _line(f"{package.name}/", package / "__init__.py", depth)
    for path in sorted(package.iterdir(), key=lambda path: (path.is_dir(), path.name)):
        if path.name in _LEFT_OUT or path.name == "__init__.py":
            continue
        if path.suffix == ".py":
            yield _line(path.name, path, depth + 1)
        elif any(path.glob("*.py")):
            yield from _lines(path, depth + 1)


def _line(name: str, module: Path, depth: int) -> str:
    return f"{_INDENT * depth + name:<{_COLUMN}} {summary(module)}"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_BLOCK.sub(lambda _: module_map(), text, count=1), encoding="utf-8")
