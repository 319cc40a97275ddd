"""Pages: whole, escaped, self-contained, and the same data as the tables."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prolly_cli.diff_view import ChangeView, FieldView
from prolly_cli.pages.diff_page import change_body
from prolly_cli.pages.graph_drawing import GraphDrawing
from prolly_cli.pages.page import CHUNK_RECORDS, escaped

Run = Callable[..., Any]

HOSTILE = (
    "</script><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "'><img src=x onerror=alert(1)>",
    "<!--",
    "\u202etxt.exe",
    "&lt;",
)
VOID = {"meta", "input", "link", "br", "img"}


class Reader(HTMLParser):
    """Reads a page: its tags, its text, and whether what is opened is closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag and the names of its attributes."""
        self.tags.append(tag)
        self.names.update(name for name, _ in attrs)
        self.links += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        """Take note of a tag that closes itself."""
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost tag, which must be this one."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data


def read(page: str) -> Reader:
    """Return a page that was read, whole."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def check_page(page: str) -> Reader:
    """Check what holds of every page, and return it."""
    reader = read(page)
    assert page.startswith("<!doctype html>")
    assert reader.tags.count("script") == reader.tags.count("style") == 1
    assert not {name for name in reader.names if name.startswith("on")}
    assert "style" not in reader.names
    assert reader.links == []
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    for tag in ("style", "script"):
        [block] = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = hashlib.sha256(block.encode()).digest()
        assert f"{tag}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy[1]
        assert not re.search(r"https?:|url\(|@import", block)
    return reader


@pytest.mark.parametrize(
    "words",
    [
        ["diff", "HEAD~1", "HEAD"],
        ["diff"],
        ["log"],
        ["log", "--", "people"],
        ["blame", "people"],
        ["blame", "people", "2"],
        ["stats"],
        ["stats", "people"],
        ["conflicts"],
    ],
)
def test_every_page_is_whole_and_asks_nobody(people: Run, words: list[str]) -> None:
    """It is well-formed, loads nothing, and its policy names its style and script."""
    place = words.index("--") if "--" in words else len(words)
    check_page(people(*words[:place], "--format", "html", *words[place:]).out)


def test_hostile_data_stays_text(run: Run, repository: Path) -> None:
    """Keys, names and values that look like HTML are shown as they are."""
    for number, text in enumerate(HOSTILE):
        run("put", "m", f"{number}{text}", f'"{number}"')
    run("commit", "-m", HOSTILE[0])
    for number, text in enumerate(HOSTILE):
        run("put", "m", str(number), json.dumps({text: text}))
    for words in (["diff"], ["diff", "HEAD~1"], ["log"], ["blame", "m"]):
        reader = check_page(run(*words, "--format", "html").out)
        assert "img" not in reader.tags
    shown = check_page(run("diff", "HEAD~1", "HEAD", "--format", "html").out).text
    for text in HOSTILE:
        assert text.replace("\u202e", "\\u202e") in shown


@given(st.text(), st.text(), st.text())
def test_every_text_survives(key: str, old: str, new: str) -> None:
    """What is shown of a change reads as it was, control characters spelt out."""
    view = ChangeView("modified", key, [FieldView("f", old, new)], [("c", old)])
    reader = read(f"<table>{change_body(view)}</table>")
    assert set(reader.tags) <= {
        "table",
        "tbody",
        "tr",
        "th",
        "td",
        "span",
        "del",
        "ins",
    }
    for text in (key, old, new):
        if "\r" not in text and "\x00" not in text:
            assert read(f"<p>{escaped(text)}</p>").text in reader.text


def test_thousands_of_records_are_laid_out_in_pieces(
    run: Run, repository: Path
) -> None:
    """Each piece has its titles, so that a browser skips what is out of sight."""
    rows = "".join(f"{key},x\n" for key in range(2 * CHUNK_RECORDS + 1))
    words = ["import", "t", "-", "--format", "csv", "--key", "a", "-m", "t"]
    run(*words, stdin=b"a,b\n" + rows.encode())
    page = run("diff", "HEAD~1", "HEAD", "--format", "html").out
    assert page.count('<div class="chunk') == page.count("<thead>") == 3
    assert page.count("<tbody") == 2 * CHUNK_RECORDS + 1


def test_a_page_goes_to_a_file(people: Run, place: Path) -> None:
    """-o writes any format, whole; what cannot be written leaves nothing behind."""
    words = ["diff", "HEAD~1", "HEAD"]
    assert people(*words, "--format", "html", "-o", "d.html").out == "wrote d.html\n"
    page = (place / "d.html").read_text()
    assert page == people(*words, "--format", "html").out
    assert people(*words, "--format", "html", "-o", "-").out == page
    people(*words, "-o", "d.txt")
    assert (place / "d.txt").read_text() == people(*words).out
    people("log", "--format", "jsonl", "-o", "l.jsonl")
    assert (place / "l.jsonl").read_text() == people("log", "--json").out
    people(*words, "-o", "no/such/place", code=3)
    assert {one.name for one in place.glob("*d*")} >= {"d.html", "d.txt"}
    assert not list(place.glob(".*part"))


@pytest.mark.parametrize(
    "words",
    [
        ["diff", "--json", "--format", "html"],
        ["log", "--json", "--format", "html"],
        ["log", "-g", "--format", "html"],
        ["blame", "people", "--json", "--format", "table"],
        ["stats", "--format", "csv"],
        ["conflicts", "--stat", "--format", "html"],
        ["conflicts", "export", "x.csv", "--format", "html"],
    ],
)
def test_formats_that_exclude_each_other(people: Run, words: list[str]) -> None:
    """What contradicts itself is wrong usage."""
    people(*words, code=2)


def test_conflicts_as_a_page(merging: Run) -> None:
    """Three sides of each field that clashes."""
    reader = check_page(merging("conflicts", "--format", "html").out)
    for word in (
        "people 2",
        "Bobby",
        "(deleted)",
        "settings theme",
        "3 conflicts open",
    ):
        assert word in reader.text


@given(st.lists(st.lists(st.integers(0, 20), max_size=3), max_size=20))
def test_the_graph_is_drawn_for_any_history(history: list[list[int]]) -> None:
    """Each row is one strip, and at the end no lane is left but of cut history."""
    drawing = GraphDrawing()
    commits = [bytes([number]) for number in range(len(history))]
    for place, parents in enumerate(history):
        later = {commits[one] for one in parents if place < one < len(commits)}
        strip = drawing.row(commits[place], sorted(later))
        assert strip.count("<svg") == strip.count("<circle") == 1
        assert read(strip).tags[0] == "svg"
