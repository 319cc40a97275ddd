"""The lines of a patch, written: ``patch`` shows their form, and reads them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

from blake3 import blake3

from . import key as key_codec
from .descriptor import Descriptor
from .json_form import to_json
from .patch import MISSING, PATCH_MARK, PATCH_VERSION, PatchRecord, PatchStamps

_encode = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode
# JSON leaves these as they are, and a terminal obeys them.
_CONTROLS = {code: f"\\u{code:04x}" for code in range(127, 160)}


def _dumps(form: dict[str, Any]) -> str:
    text = _encode(form)
    return text.translate(_CONTROLS)


def head_line(old: bytes, new: bytes) -> str:
    """Return the first line."""
    return _dumps({PATCH_MARK: PATCH_VERSION, "old": old.hex(), "new": new.hex()})


def section_line(
    identity: bytes, old: Descriptor | None, new: Descriptor | None
) -> str:
    """Return the line of a dataset."""
    form: dict[str, Any] = {"dataset": identity.hex()}
    told = {
        side: _description(entry)
        for side, entry in (("old", old), ("new", new))
        if entry is not None
    }
    if told.get("old") == told.get("new"):
        told = {"both": told["new"]}
    return _dumps({**form, **told})


def _description(entry: Descriptor) -> dict[str, Any]:
    told: dict[str, Any] = {"name": entry.name, "kind": entry.kind}
    told["parameters"] = entry.parameters.to_value()
    if entry.schema is not None:
        told["schema"] = to_json(entry.schema, exact=True)
    if entry.policies:
        told["policies"] = to_json(entry.policies, exact=True)
    return told


def record_line(record: PatchRecord) -> str:
    """Return the line of a record; a blob's has an empty key."""
    form = _sides_form("key", *record[:3])
    if record.data is not None:
        form["data"] = base64.b64encode(record.data).decode()
    return _dumps(form)


def stamps_line(stamps: PatchStamps) -> str:
    """Return the line of the stamps of a record."""
    return _dumps(_sides_form("stamps", *stamps))


def _sides_form(name: str, key: bytes, old: Any, new: Any) -> dict[str, Any]:
    parts = key_codec.decode(key) if key else ()
    form: dict[str, Any] = {name: to_json(list(parts), exact=True)}
    for side, value in (("old", old), ("new", new)):
        if value is not MISSING:
            form[side] = to_json(value, exact=True)
    return form


def with_end(lines: Iterable[str]) -> Iterator[str]:
    """Yield all lines of a patch, and the one that ends it."""
    hasher = blake3()
    number = 0
    for line in lines:
        hasher.update(line.encode())
        hasher.update(b"\n")
        number += 1
        yield line
    yield _dumps({"end": number, "blake3": hasher.hexdigest()})
