"""The frame of every page: one file, in light and dark, that runs nothing but its own.

Whatever is data goes through ``escaped``. Should something slip by all the same, the
page's policy (its ``Content-Security-Policy``) lets no script, style, picture, form or
address run or load that is not in it: the two blocks are named by their hashes.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from html import escape
from itertools import islice
from pathlib import Path
from typing import TypeVar

from ..output import Output, visible
from ..word_difference import Spans

Item = TypeVar("Item")

# Records of one table: a browser lays out the tables that are in sight, and no others.
CHUNK_RECORDS = 100
# Beyond, no browser is pleasant any more, and no person reads on.
PAGE_RECORDS_MAX = 50_000

KINDS = ("added", "removed", "modified")


def escaped(text: str) -> str:
    """Return text as HTML shows it, in an attribute too; control characters spelt."""
    return escape(visible(text), quote=True)


def _asset(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _hash(block: str) -> str:
    return b64encode(sha256(block.encode()).digest()).decode("ascii")


class Page:
    """Writes one page to an output, piece by piece."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.write = output.write

    @contextmanager
    def framed(self, title: str, about: str) -> Iterator[None]:
        """Write what stands before the block's output and behind it."""
        style, script = _asset("page.css"), _asset("page.js")
        policy = (
            f"default-src 'none'; style-src 'sha256-{_hash(style)}'; "
            f"script-src 'sha256-{_hash(script)}'; base-uri 'none'; form-action 'none'"
        )
        self.write(
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{escaped(title)}</title>\n<style>{style}</style>\n</head>\n"
            f"<body>\n<header>\n<h1>{escaped(title)}</h1>\n"
            f'<p class="about">{escaped(about)}</p>\n</header>\n<main>\n'
        )
        yield
        self.write(f"</main>\n<script>{script}</script>\n</body>\n</html>\n")

    def tools(self, what: str, kinds: Iterable[str] = ()) -> None:
        """Write the search, and a box for each kind; the script shows them."""
        boxes = "".join(
            f'<label class="{kind}-text"><input type="checkbox" value="{kind}" checked>'
            f" {kind}</label>\n"
            for kind in kinds
        )
        self.write(
            '<div class="tools" role="search" hidden>\n<label><span class="seen-not">'
            f'Search {what}</span><input type="search" placeholder="Search">'
            f'</label>\n{boxes}<output aria-live="polite"></output>\n</div>\n'
        )

    def chunks(
        self, items: Iterable[Item], head: str, spelt: Callable[[Item], str]
    ) -> None:
        """Write a table of items, in pieces; ``spelt`` gives the body of each."""
        left = iter(items)
        while chunk := list(islice(left, CHUNK_RECORDS)):
            self.write(f'<div class="chunk scroll"><table>\n{head}\n')
            for item in chunk:
                self.write(spelt(item))
            self.write("</table></div>\n")

    def table(
        self, titles: Iterable[str], rows: Iterable[Iterable[str]], caption: str = ""
    ) -> None:
        """Write a small table: the first cell of a row names it, others are numbers.

        Cells are HTML.
        """
        first, *others = titles
        head = f'<th scope="col">{first}</th>' + "".join(
            f'<th scope="col" class="number">{one}</th>' for one in others
        )
        told = f"<caption>{caption}</caption>" if caption else ""
        self.write(f'<div class="scroll"><table class="fitted">{told}\n')
        self.write(f"<thead><tr>{head}</tr></thead>\n<tbody>\n")
        for name, *cells in rows:
            body = "".join(f'<td class="number">{one}</td>' for one in cells)
            self.write(f'<tr><th scope="row" class="data">{name}</th>{body}</tr>\n')
        self.write("</tbody></table></div>\n")


def marked(spans: Spans, tag: str) -> str:
    """Return the parts of a cell as HTML: what changed in ``del`` or ``ins``."""
    return "".join(
        f"<{tag}>{escaped(one.text)}</{tag}>" if one.changed else escaped(one.text)
        for one in spans
    )


def cell(text: str) -> str:
    """Return a cell as HTML; what stands for nothing is set apart."""
    if text in ("null", "(none)", "(deleted)"):
        return f'<span class="absent">{text}</span>'
    return escaped(text)
