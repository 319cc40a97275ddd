"""Patches: what differs between two manifests, as lines of JSON that people can read.

    {"prolly-patch": 1, "old": ROOT, "new": ROOT}
    {"dataset": ID, "old": DESCRIPTION, "new": DESCRIPTION}, or "both": DESCRIPTION
    {"key": [PART, ...], "old": VALUE, "new": VALUE, "data": BASE64}
    {"stamps": [PART, ...], "old": VALUE, "new": VALUE}
    {"end": LINES, "blake3": HASH}

What is not there on a side is left out. A dataset's line is followed by its records,
then by its stamps. The hash is that of all lines before the last, each with a line
feed. Page: docs/spec/patch.md.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from blake3 import blake3

from prolly.errors import Corrupt, Error, Unsupported

from . import key as key_codec
from .address import ADDRESS_BYTES
from .descriptor import (
    DATASET_ID_BYTES,
    DATASET_KINDS,
    Descriptor,
    check_dataset_name,
)
from .json_form import STRICT_DECODER, from_json
from .parameters import TreeParameters

PATCH_VERSION = 1
# It is held in memory while it is applied; what is larger goes as a bundle.
PATCH_BYTES_MAX = 64 * 1024 * 1024

# What the first line is known by.
PATCH_MARK = "prolly-patch"


class Missing:
    """Stands where a record has no value on a side; there is one."""


MISSING = Missing()


class PatchRecord(NamedTuple):
    """One record that differs: encoded key, and both sides as plain values.

    ``data`` is the content of a blob or file that is new.
    """

    key: bytes
    old: Any
    new: Any
    data: bytes | None = None


class PatchStamps(NamedTuple):
    """The stamps of one record that differ, as plain values."""

    key: bytes
    old: Any
    new: Any


@dataclass
class PatchSection:
    """One dataset that differs: its descriptions, without trees, and its lines."""

    identity: bytes
    old: Descriptor | None
    new: Descriptor | None
    lines: Sequence[str] = field(default=(), repr=False)
    first_line: int = 0

    @property
    def present(self) -> Descriptor:
        """The description that there is, the new one of two."""
        found = self.new or self.old
        assert found is not None
        return found

    def records(self) -> Iterator[PatchRecord]:
        """Yield its records; Corrupt ``patch``."""
        for number, form in self._forms("key"):
            yield _reading(number, lambda form=form: _record_of(form))

    def stamps(self) -> Iterator[PatchStamps]:
        """Yield its stamps; Corrupt ``patch``."""
        for number, form in self._forms("stamps"):
            yield _reading(number, lambda form=form: _stamps_of(form))

    def _forms(self, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in enumerate(self.lines, self.first_line):
            form = _form(line, number)
            if name in form:
                yield number, form
            elif not {"key", "stamps"} & set(form):
                raise bad_patch("a line of no known kind", number)


class Patch(NamedTuple):
    """What a patch says: the roots of both manifests, and what differs."""

    old: bytes
    new: bytes
    sections: Sequence[PatchSection]


def decode_patch(data: bytes) -> Patch:
    """Return what a patch says.

    Line ends may be those of any system. Raises Corrupt ``patch`` for what is none, or
    was changed, and Unsupported ``patch-version``. What lines of records say is looked
    at when they are read.
    """
    lines = _split(data)
    if len(lines) < 2:
        raise bad_patch("it is cut off")
    head = _head(lines[0])
    body = lines[:-1]
    end = _form(lines[-1], len(lines))
    digest = blake3("".join(f"{line}\n" for line in body).encode()).hexdigest()
    if (end.get("end"), end.get("blake3")) != (len(body), digest):
        raise bad_patch("its hash is not that of its lines, or it is cut off")
    old, new = (
        _reading(1, lambda side=side: _hex(head[side], ADDRESS_BYTES))
        for side in ("old", "new")
    )
    return Patch(old, new, _sections(body))


def _split(data: bytes) -> list[str]:
    """Return the lines; only line feeds end one, whatever a text in it holds."""
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        raise bad_patch("it is not UTF-8") from None
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _head(line: str) -> dict[str, Any]:
    head = _form(line, 1)
    if PATCH_MARK not in head:
        raise bad_patch("its first line is not that of a patch", 1)
    if head[PATCH_MARK] != PATCH_VERSION:
        raise Unsupported(
            f"the patch is of version {str(head[PATCH_MARK])[:20]}",
            code="patch-version",
            hint=f"Version {PATCH_VERSION} is known here: use the release that made "
            "it, or have it made anew.",
        )
    return head


def _sections(lines: Sequence[str]) -> list[PatchSection]:
    """Return the datasets of a patch, each once."""
    starts = [
        place for place, line in enumerate(lines) if line.startswith('{"dataset"')
    ]
    if len(lines) > 1 and (not starts or starts[0] != 1):
        raise bad_patch("a record of no dataset", 2)
    sections = []
    for place, stop in pairwise([*starts, len(lines)]):
        form = _form(lines[place], place + 1)
        section = _reading(place + 1, lambda form=form: _section_of(form))
        section.lines = lines[place + 1 : stop]
        section.first_line = place + 2
        sections.append(section)
    if len({one.identity for one in sections}) < len(sections):
        raise bad_patch("a dataset stands twice")
    return sections


def _section_of(form: dict[str, Any]) -> PatchSection:
    identity = bytes.fromhex(form["dataset"])
    if "both" in form:
        form = {**form, "old": form["both"], "new": form["both"]}
    old, new = (
        _described(form[side]) if side in form else None for side in ("old", "new")
    )
    kinds = {one.kind for one in (old, new) if one is not None}
    if len(kinds) != 1 or len(identity) != DATASET_ID_BYTES:
        raise ValueError("a dataset of no kind, or of two, or a wrong id")
    return PatchSection(identity, old, new)


def _described(form: dict[str, Any]) -> Descriptor:
    check_dataset_name(form["name"])
    if form["kind"] not in DATASET_KINDS:
        raise ValueError(f"a dataset of kind {form['kind']!r}")
    policies = from_json(form.get("policies", {}))
    if type(policies) is not dict:
        raise ValueError("policies that are no map")
    return Descriptor(
        form["name"],
        form["kind"],
        (),
        TreeParameters.from_value(form["parameters"]),
        from_json(form.get("schema")),
        policies,
    )


def _record_of(form: dict[str, Any]) -> PatchRecord:
    data = base64.b64decode(form["data"], validate=True) if "data" in form else None
    return PatchRecord(*_sides_of("key", form), data)


def _stamps_of(form: dict[str, Any]) -> PatchStamps:
    return PatchStamps(*_sides_of("stamps", form))


def _sides_of(name: str, form: dict[str, Any]) -> tuple[bytes, Any, Any]:
    """Return the key of a line, and what stands there on both sides."""
    if type(form[name]) is not list:
        raise ValueError("a key that is no array of parts")
    parts = _tuples(from_json(form[name]))
    old, new = (
        from_json(form[side]) if side in form else MISSING for side in ("old", "new")
    )
    return key_codec.encode(parts) if parts else b"", old, new


def _tuples(parts: list[Any]) -> tuple[Any, ...]:
    """Return the parts of a key: what is nested in one is a tuple, too."""
    return tuple([_tuples(one) if type(one) is list else one for one in parts])


def _hex(text: str, size: int) -> bytes:
    found = bytes.fromhex(text)
    if len(found) != size:
        raise ValueError("a hash of another length")
    return found


def _form(line: str, number: int) -> dict[str, Any]:
    def parse() -> dict[str, Any]:
        form = STRICT_DECODER.decode(line)
        if type(form) is not dict:
            raise ValueError("no object")
        return form

    found: dict[str, Any] = _reading(number, parse)
    return found


def _reading(number: int, read: Any) -> Any:
    """Return what ``read`` gives; Corrupt ``patch`` for whatever is wrong in a line."""
    try:
        return read()
    except Error as error:
        raise bad_patch(error.message, number) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise bad_patch(str(error) or type(error).__name__, number) from error


def bad_patch(reason: str, line: int | None = None) -> Corrupt:
    """Return (not raise) the error for bytes that are no patch."""
    where = "" if line is None else f" (line {line})"
    return Corrupt(
        f"not a patch, or a damaged one: {reason}{where}",
        code="patch",
        hint="Have it made anew (`prolly diff --format patch`); it may not be edited.",
        line=line,
    )
