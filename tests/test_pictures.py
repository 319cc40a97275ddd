"""The pictures of the documentation: all there, well-formed, and none too large."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from prolly_cli.output import visible

from docs.drawing.terminal_svg import terminal_svg

# What a page of documentation may cost to load.
PICTURE_BYTES_MAX = 150_000


@given(st.lists(st.text().map(visible), max_size=5))
def test_a_terminal_is_drawn_with_its_text(lines: list[str]) -> None:
    """Whatever is printed, it is XML that says the same, but for spaces."""
    # XML has no place for these, and a terminal none to show them.
    plain = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
    lines = [plain.sub("", line) for line in lines]
    shown = "\n".join(f"\x1b[1;32m{line}\x1b[0m" for line in lines)
    root = ElementTree.fromstring(terminal_svg(shown, 80))
    texts = "".join(one.text or "" for one in root.iter() if one.tag.endswith("text"))
    assert "".join(texts.split()) == "".join("".join(lines).split())


def test_every_picture_is_used_and_small(root: Path) -> None:
    """Each is shown on a page in light or dark, and each that is shown is there."""
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    linked = {
        (page.parent / place).resolve()
        for page in pages
        for place in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", page.read_text())
    }
    there = set((root / "docs" / "pictures").iterdir())
    assert not {one for one in linked if not one.exists()}
    dark = {one.with_name(one.name.replace("-dark", "")) for one in linked | there}
    assert dark <= linked | there
    assert there <= {one for name in linked for one in (name, *twins(name))}
    assert all(one.stat().st_size <= PICTURE_BYTES_MAX for one in there)


def twins(picture: Path) -> list[Path]:
    """Return a page's picture in the other of light and dark."""
    stem = picture.stem.removesuffix("-dark")
    return [picture.with_stem(stem), picture.with_stem(f"{stem}-dark")]
