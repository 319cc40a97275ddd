"""How many columns of a terminal text takes, and text cut to so many.

A column is not a character: Chinese, Japanese and Korean characters and emoji take
two, combining marks none, and what a joiner glues together is one picture. The tables
are those of ``unicodedata``, which every Python brings along; where terminals disagree
(marks that take room of their own) the wider reading counts, so nothing overflows.

Text must have gone through ``output.visible``: control characters have no width.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from unicodedata import category, east_asian_width

ELLIPSIS = "…"
# What stands between two columns of a table.
GAP = "  "

_JOINER = "\u200d"
# Asks for the picture of the character before it, which is two columns wide.
_PICTURE = "\ufe0f"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
# Medial and final letters of Korean are drawn into the syllable before them.
_INNER_LETTERS = range(0x1160, 0x1200)
# Pictures that are newer than the interpreter's tables are wide like their neighbours.
_PICTURES = range(0x1F300, 0x1FB00)

# Texts repeat few characters; beyond, a document in Chinese would fill memory.
_CHARACTERS_KEPT = 4096


@lru_cache(_CHARACTERS_KEPT)
def _character_width(character: str) -> int:
    code = ord(character)
    kind = category(character)
    if kind in ("Mn", "Me", "Cf") or code in _INNER_LETTERS:
        return 0
    if east_asian_width(character) in "WF":
        return 2
    return 2 if kind == "Cn" and code in _PICTURES else 1


def width(text: str) -> int:
    """Return how many columns text takes."""
    if text.isascii():
        return len(text)
    return sum(columns for _, columns in clusters(text))


def clusters(text: str) -> Iterator[tuple[str, int]]:
    """Yield what is drawn as one, and its columns: never to be torn apart."""
    start, columns, joined, flags = 0, 0, False, 0
    for place, character in enumerate(text):
        code = ord(character)
        own = _character_width(character)
        is_flag = code in _FLAG_LETTERS
        goes_on = (
            own == 0
            or joined
            or (code in _SKIN_TONES and columns == 2)
            or (is_flag and flags % 2 == 1)
        )
        if place and not goes_on:
            yield text[start:place], columns
            start, columns = place, 0
        if character == _PICTURE and columns == 1:
            columns = 2
        elif is_flag or not (joined or (goes_on and code in _SKIN_TONES)):
            columns += own
        flags = flags + 1 if is_flag else 0
        joined = character == _JOINER and columns > 0
    if text:
        yield text[start:], columns


def head(text: str, room: int) -> str:
    """Return as much of the beginning as fits into so many columns."""
    if text.isascii():
        return text[: max(room, 0)]
    taken = 0
    for cluster, columns in clusters(text):
        room -= columns
        if room < 0:
            break
        taken += len(cluster)
    return text[:taken]


def tail(text: str, room: int) -> str:
    """Return as much of the end as fits into so many columns."""
    if text.isascii():
        return text[max(len(text) - room, 0) :] if room > 0 else ""
    taken = len(text)
    for cluster, columns in reversed(list(clusters(text))):
        room -= columns
        if room < 0:
            break
        taken -= len(cluster)
    return text[taken:]


def cut(text: str, room: int) -> str:
    """Return text that takes at most so many columns: with an ellipsis if it is cut."""
    if width(text) <= room:
        return text
    return head(text, room - 1) + ELLIPSIS if room > 0 else ""


def wrapped(text: str, room: int) -> list[str]:
    """Return text in lines of at most so many columns, broken at spaces if it can be.

    One character that is wider than the room stands alone.
    """
    lines = []
    while width(text) > room:
        piece = head(text, room) or next(clusters(text))[0]
        space = piece.rfind(" ")
        if space > 0 and not text[len(piece) :].startswith(" "):
            piece = piece[:space]
        lines.append(piece)
        text = text[len(piece) :].removeprefix(" ")
    return [*lines, text]


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """Return text filled up with spaces to so many columns; longer text as it is."""
    spaces = " " * (columns - width(text))
    return spaces + text if right else text + spaces
