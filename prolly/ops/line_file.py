"""A plain file of lines, one row each, kept as it is written: for merges of files.

A row stays the text that the file has for it, so what nobody changed is written back
byte for byte. Its cells are taken apart when somebody asks. The texts of all rows and
their keys are in memory, the cells are not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from .byte_source import ByteSource
from .keyed_rows import doubled_key

Key = tuple[Any, ...]


class LineFile(ABC):
    """The rows of one file by key; ``columns`` are those of the header, if it has one.

    ``bodies`` are the texts of the rows without their line ends, ``ends`` those line
    ends, and ``blanks`` the blank lines behind rows, by their number; -1 is the header.
    Raises on creation what reading raises, Invalid ``null-key``, ``duplicate-key``,
    ``missing-key`` and ``conflict-markers``.
    """

    has_header: ClassVar[bool]
    # What messages call the place of a row.
    place_word: ClassVar[str] = "line"

    def __init__(self, file: ByteSource, key: Sequence[str]) -> None:
        self.file = file
        self.name = file.name
        self.key = tuple(key)
        self.columns: tuple[str, ...] = ()
        self.keys: list[Key] = []
        self.bodies: list[str] = []
        self.ends: list[str] = []
        self.blanks: dict[int, str] = {}
        self._lines: list[int] = []
        self.places: dict[Key, int] = {}
        self._read()
        self.places = dict(zip(self.keys, range(len(self.keys)), strict=True))
        if len(self.places) < len(self.keys):
            self._refuse_double()

    @abstractmethod
    def _read(self) -> None:
        """Take in header and rows, by ``add``."""

    @abstractmethod
    def cells(self, row: int) -> Mapping[str, Any]:
        """Return the values of a row by column."""

    @abstractmethod
    def spelt(self, row: int) -> Mapping[str, str]:
        """Return the texts of a row's cells by column, as they stand in the file."""

    @abstractmethod
    def spell(self, value: Any, name: str) -> str:
        """Return the text of a value that no file has spelt."""

    @abstractmethod
    def adopted(self, text: str, other: LineFile) -> str:
        """Return a cell's text that stands so in another file as this one has it."""

    @abstractmethod
    def compose(
        self, texts: Mapping[str, str], columns: Sequence[str], like: str
    ) -> str:
        """Return the text of a row of these cells, written as the row ``like`` is."""

    @abstractmethod
    def marker(self, text: str, columns: Sequence[str], fields: Sequence[str]) -> str:
        """Return the text of a line that marks a conflict."""

    def header(self, columns: Sequence[str], sides: Sequence[LineFile]) -> str | None:
        """Return the text of the header with these columns, of which sides have all.

        None for a format without one.
        """
        return None

    def is_alike(self, other: LineFile) -> bool:
        """Tell whether equal texts are equal rows in both files."""
        return self.columns == other.columns

    @property
    def has_mark(self) -> bool:
        """Tell whether the file, which must still be open, has a byte order mark."""
        return self.file.has_mark

    @property
    def is_open(self) -> bool:
        """Tell whether the last row has no line end."""
        return bool(self.ends) and not self.ends[-1]

    @property
    def line_end(self) -> str:
        """How lines end here: as the first that has an end."""
        return next(filter(None, self.ends), "\n")

    def add(self, key: Key, text: str, line: int) -> None:
        """Take in one row with its line end, and the line that it begins on."""
        body, end = divided(text)
        self.keys.append(key)
        self.bodies.append(body)
        self.ends.append(end)
        self._lines.append(line)

    def add_blank(self, text: str) -> None:
        """Take in a blank line behind the newest row."""
        place = len(self.keys) - 1
        self.blanks[place] = self.blanks.get(place, "") + text

    def _refuse_double(self) -> None:
        for place, key in enumerate(self.keys):
            if self.places[key] != place:
                pairs = zip(self.keys, self._lines, strict=True)
                lines = [line for one, line in pairs if one == key]
                raise doubled_key(self.name, key, lines, self.place_word)


def divided(text: str) -> tuple[str, str]:
    """Return a line's text and its line end, which may be missing."""
    body = text.rstrip("\r\n")
    return body, text[len(body) :]
