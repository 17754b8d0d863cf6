"""Write the generated parts of the documentation, between two comments that GitHub hides.

<!-- written: NAME -->

...

<!-- end -->
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fer.errors import FerError
from fer.locations import app_folder

PART = re.compile(r"(<!-- written: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
Parts = Mapping[str, Callable[[], str]]


def renewed(text: str, parts: Parts) -> str:
    """The page with its generated parts replaced; the rest stays unchanged."""

    def write(found: re.Match[str]) -> str:
        part = parts.get(found["name"])
        return f"{found[1]}\n{part().strip()}\n\n{found[3]}" if part else found[0]

    return PART.sub(write, text)


def pages_with(parts: Parts, folder: Path | None = None) -> list[Path]:
    """README.md and the pages of docs/ with at least one of the parts. folder: the repository's."""
    folder = folder or app_folder()
    pages = [page for page in (folder / "README.md", *sorted((folder / "docs").glob("*.md"))) if page.is_file()]
    return [page for page in pages if parts.keys() & {found["name"] for found in PART.finditer(_text(page))}]


def renew(parts: Parts, folder: Path | None = None) -> list[Path]:
    """Write the parts into all pages. Raises FerError if no page has any."""
    pages = pages_with(parts, folder)
    if not pages:
        raise FerError("No page has a part to write. Run this in a checkout of the repository.")
    for page in pages:
        page.write_text(renewed(_text(page), parts), encoding="utf-8")
    return pages


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table; the first row is its heading."""
    head, *rest = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *rest])


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")
