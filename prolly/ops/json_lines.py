"""JSON lines as lines of text whose fields can be exchanged one by one.

The text of a field is that of its value, as it stands in the line. A line that changes
keeps the order of its names, its blanks and the texts of all values that do not change;
what is new in it stands at its end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from prolly.codec import json_form
from prolly.errors import Invalid, LimitExceeded

from .conflict_lines import MARKERS, marker_object, unsettled
from .import_faults import Found, null_key
from .json_source import iter_line_records
from .line_file import Key, LineFile

_BLANKS = re.compile(r"[ \t\r\n]*")

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode


class Member(NamedTuple):
    """One field of a line: what stands before its name, its name as written with what
    stands behind that, and the text of its value."""

    lead: str
    label: str
    text: str


class JsonLines(LineFile):
    """The rows of a file with one object a line."""

    has_header = False

    def _read(self) -> None:
        decode = json_form.STRICT_DECODER.decode
        try:
            with self.file.open_text() as text:
                for line, written in enumerate(text, 1):
                    trimmed = written.strip(" \t\r\n")
                    if not trimmed:
                        self.add_blank(written)
                        continue
                    self.add(self._key(decode(trimmed), line), written, line)
        except (ValueError, RecursionError, LimitExceeded) as error:
            if isinstance(error, Invalid):
                raise
            # What reads tables says best what is wrong, and where.
            for _ in iter_line_records(self.file):
                pass
            raise

    def _key(self, record: Any, line: int) -> Key:
        if type(record) is not dict:
            raise ValueError("a record is an object")
        if not MARKERS.isdisjoint(record):
            raise unsettled(self.name, line)
        parts = tuple([record.get(name) for name in self.key])
        for name, part in zip(self.key, parts, strict=True):
            if part is None:
                raise null_key(Found(self.name, line, (), self.place_word), name)
            if type(part) not in (str, int):
                place = f"{self.name} {self.place_word} {line}"
                raise Invalid(
                    f"{place}: the key column {name!r} holds {_shown(part)}",
                    code="key-type",
                    hint="A key is text or whole numbers.",
                    source=self.name,
                    line=line,
                    column=name,
                )
        return parts

    def cells(self, row: int) -> Mapping[str, Any]:
        """Return the values of a row; a name that it leaves out is not there."""
        found: dict[str, Any] = json_form.STRICT_DECODER.decode(self.bodies[row])
        return found

    def spelt(self, row: int) -> Mapping[str, str]:
        """Return the texts of a row's values by name."""
        members, _ = members_of(self.bodies[row])
        return {name: one.text for name, one in members.items()}

    def spell(self, value: Any, name: str) -> str:
        """Return the JSON text of a value."""
        return _shown(value)

    def adopted(self, text: str, other: LineFile) -> str:
        """Return the text of a value as it is."""
        return text

    def compose(
        self, texts: Mapping[str, str], columns: Sequence[str], like: str
    ) -> str:
        """Return a line with these values, written as another one is."""
        members, rest = members_of(like)
        begin, between, colon = _style(list(members.values()))
        order = [name for name in members if name in texts]
        order += [name for name in texts if name not in members]
        parts = []
        for place, name in enumerate(order):
            known = members.get(name)
            lead = between if known is None or known.lead == begin else known.lead
            label = _dumps(name) + colon if known is None else known.label
            parts.append((begin if place == 0 else lead) + label + texts[name])
        return "".join([*(parts or [begin]), rest])

    def marker(self, text: str, columns: Sequence[str], fields: Sequence[str]) -> str:
        """Return the text of a line that marks a conflict."""
        return marker_object(text, fields)

    def is_alike(self, other: LineFile) -> bool:
        """Tell whether equal texts are equal rows in both files: always."""
        return True


def _shown(value: Any) -> str:
    from prolly.tables import COLUMN_TYPES

    return COLUMN_TYPES["json"].json_text(value)


def members_of(body: str) -> tuple[dict[str, Member], str]:
    """Return the fields of an object by name, and what stands behind the last.

    The text must be a valid object.
    """
    decode = json_form.STRICT_DECODER.raw_decode
    members: dict[str, Member] = {}
    start = body.index("{") + 1
    lead = body[:start]
    place = _skip(body, start)
    while body[place] == '"':
        lead += body[start:place]
        name, end = decode(body, place)
        value = _skip(body, _skip(body, end) + 1)
        _, stop = decode(body, value)
        members[name] = Member(lead, body[place:value], body[value:stop])
        start = _skip(body, stop)
        if body[start] != ",":
            return members, body[stop:]
        lead = body[stop : start + 1]
        start += 1
        place = _skip(body, start)
    return members, body[start:]


def _skip(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    assert found is not None
    return found.end()


def _style(members: Sequence[Member]) -> tuple[str, str, str]:
    """Return what begins a line, what stands between fields, and behind a name."""
    if not members:
        return "{", ", ", ": "
    label = members[0].label
    colon = label[label.rindex('"') + 1 :]
    usual = "," if colon == ":" else ", "
    return members[0].lead, members[1].lead if len(members) > 1 else usual, colon
