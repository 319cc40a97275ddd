"""The layouts of the format as JSON forms, for vectors and for the pages of the spec.

A vector or a worked example is a JSON form and the bytes that it makes. Each layout has
a function from form to bytes and one back, so that both directions can be proved for
examples that are plain text and can be used from any language. Bytes are hexadecimal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from prolly.codec import (
    Commit,
    Descriptor,
    FileEntry,
    Reference,
    Referring,
    Replay,
    TreeParameters,
    WorkingState,
    cbor,
    decode_blob_node,
    decode_commit,
    decode_descriptor,
    decode_file_entry,
    decode_referring,
    decode_working,
    encode_blob_node,
    encode_commit,
    encode_descriptor,
    encode_file_entry,
    encode_referring,
    encode_working,
    json_form,
    key,
    row,
)
from prolly.codec.record_stamps import (
    NO_STAMP,
    RecordStamps,
    decode_stamps,
    encode_stamps,
)

__all__ = ["LAYOUTS", "Layout"]

Form = Any


class Layout(NamedTuple):
    """Form to bytes, and back; the second argument of ``decode`` is the form's rest.

    What bytes alone do not tell (the fills of a row) is read from a form or from the
    vector itself.
    """

    encode: Callable[[Form], bytes]
    decode: Callable[[bytes, Form], Form]


def _encode_row(form: Form) -> bytes:
    cells = [json_form.from_json(cell) for cell in form["cells"]]
    return row.encode(cells, [json_form.from_json(fill) for fill in form["fills"]])


def _decode_row(data: bytes, form: Form) -> Form:
    fills = [json_form.from_json(fill) for fill in form["fills"]]
    cells = row.check(data, fills)
    shown = [json_form.to_json(cell, exact=True) for cell in cells]
    return {"cells": shown, "fills": form["fills"]}


def _references(form: Form) -> list[Reference]:
    return [Reference(bytes.fromhex(address), kind) for address, kind in form]


def _shown(references: tuple[Reference, ...]) -> list[list[Any]]:
    return [[reference.address.hex(), reference.kind] for reference in references]


def _encode_reference(form: Form) -> bytes:
    payload = bytes.fromhex(form["payload"])
    return bytes(encode_referring(_references(form["references"]), payload))


def _decode_reference(data: bytes, form: Form) -> Form:
    references, payload = decode_referring(data)
    return {"references": _shown(references), "payload": payload.hex()}


def _encode_commit(form: Form) -> bytes:
    commit = Commit(
        parents=tuple(map(bytes.fromhex, form["parents"])),
        root=bytes.fromhex(form["root"]),
        author=form["author"],
        time_us=form["time"],
        message=form["message"],
        metadata=json_form.from_json(form["metadata"]),
        generation=form["generation"],
    )
    return encode_commit(commit)


def _decode_commit(data: bytes, form: Form) -> Form:
    commit = decode_commit(data)
    return {
        "parents": [parent.hex() for parent in commit.parents],
        "root": commit.root.hex(),
        "author": commit.author,
        "time": commit.time_us,
        "message": commit.message,
        "metadata": json_form.to_json(commit.metadata, exact=True),
        "generation": commit.generation,
    }


def _encode_working(form: Form) -> bytes:
    conflicts = form["conflicts"]
    state = WorkingState(
        base=bytes.fromhex(form["base"]),
        manifest=bytes.fromhex(form["manifest"]),
        merge_parents=tuple(map(bytes.fromhex, form["merge_parents"])),
        conflicts=None if conflicts is None else bytes.fromhex(conflicts),
        message=form["message"],
        metadata=json_form.from_json(form["metadata"]),
        replay=_replay(form.get("replay")),
    )
    return encode_working(state)


def _replay(form: Form | None) -> Replay | None:
    if form is None:
        return None
    picked = form["picked"]
    return Replay(
        form["verb"],
        bytes.fromhex(form["theirs"]),
        None if picked is None else bytes.fromhex(picked),
        bytes.fromhex(form["began"]),
        form["author"],
        form["time"],
        tuple(map(bytes.fromhex, form["todo"])),
    )


def _decode_working(data: bytes, form: Form) -> Form:
    state = decode_working(data)
    return {
        "base": state.base.hex(),
        "manifest": state.manifest.hex(),
        "merge_parents": [parent.hex() for parent in state.merge_parents],
        "conflicts": None if state.conflicts is None else state.conflicts.hex(),
        "message": state.message,
        "metadata": json_form.to_json(state.metadata, exact=True),
        **_replay_form(state.replay),
    }


def _replay_form(replay: Replay | None) -> Form:
    if replay is None:
        return {}
    told = {
        "verb": replay.verb,
        "theirs": replay.theirs.hex(),
        "picked": None if replay.picked is None else replay.picked.hex(),
        "began": replay.began.hex(),
        "author": replay.author,
        "time": replay.time_us,
        "todo": [one.hex() for one in replay.todo],
    }
    return {"replay": told}


def _encode_descriptor(form: Form) -> bytes:
    descriptor = Descriptor(
        name=form["name"],
        kind=form["kind"],
        roots=tuple(_references(form["roots"])),
        parameters=TreeParameters(*form["parameters"]),
        schema=json_form.from_json(form["schema"]),
        policies=json_form.from_json(form["policies"]),
        local=form["local"],
    )
    value, piece = encode_descriptor(descriptor)
    assert (piece.hex() if piece else None) == form.get("piece"), "another piece"
    return bytes(value)


def _decode_descriptor(data: bytes, form: Form) -> Form:
    piece: str = (form or {}).get("piece", "")
    found = decode_descriptor(data, lambda _: bytes.fromhex(piece))
    shown = {
        "name": found.name,
        "kind": found.kind,
        "roots": _shown(found.roots),
        "parameters": found.parameters.to_value(),
        "schema": json_form.to_json(found.schema, exact=True),
        "policies": json_form.to_json(found.policies, exact=True),
        "local": found.local,
    }
    return {**shown, "piece": piece} if piece else shown


def _encode_blob_node(form: Form) -> bytes:
    addresses = [bytes.fromhex(address) for address in form["addresses"]]
    return encode_blob_node(form["level"], addresses, form["lengths"])


def _decode_blob_node(data: bytes, form: Form) -> Form:
    level, addresses, lengths = decode_blob_node(data)
    shown = [address.hex() for address in addresses]
    return {"level": level, "addresses": shown, "lengths": lengths}


def _encode_file_entry(form: Form) -> bytes:
    address, kind = form["reference"]
    reference = Reference(bytes.fromhex(address), kind)
    entry = FileEntry(form["size"], form["mode"], form["mtime"], reference)
    return bytes(encode_file_entry(entry))


def _decode_file_entry(data: bytes, form: Form) -> Form:
    entry = decode_file_entry(Referring(data))
    return {
        "reference": [entry.reference.address.hex(), entry.reference.kind],
        "size": entry.size,
        "mode": entry.mode,
        "mtime": entry.mtime_ns,
    }


def _encode_stamps(form: Form) -> bytes:
    record = bytes.fromhex(form["record"]) if form["record"] else NO_STAMP
    columns = {column: bytes.fromhex(stamp) for column, stamp in form["columns"]}
    tags = {
        column: frozenset(map(bytes.fromhex, found))
        for column, found in form.get("tags", [])
    }
    return cbor.encode(encode_stamps(RecordStamps(record, columns, tags)))


def _decode_stamps(data: bytes, form: Form) -> Form:
    stamps = decode_stamps(cbor.decode(data))
    tags = [
        [column, sorted(map(bytes.hex, found))] for column, found in stamps.tags.items()
    ]
    return {
        "record": None if stamps.record == NO_STAMP else stamps.record.hex(),
        "columns": [[column, one.hex()] for column, one in stamps.columns.items()],
        **({"tags": tags} if tags else {}),
    }


LAYOUTS: dict[str, Layout] = {
    "cbor": Layout(
        lambda form: cbor.encode(json_form.from_json(form)),
        lambda data, _: json_form.to_json(cbor.decode(data), exact=True),
    ),
    "key": Layout(
        lambda form: key.encode_key(json_form.key_from_json(form)),
        lambda data, _: json_form.key_to_json(key.decode_key(data), exact=True),
    ),
    "row": Layout(_encode_row, _decode_row),
    "reference": Layout(_encode_reference, _decode_reference),
    "commit": Layout(_encode_commit, _decode_commit),
    "working": Layout(_encode_working, _decode_working),
    "descriptor": Layout(_encode_descriptor, _decode_descriptor),
    "blob_node": Layout(_encode_blob_node, _decode_blob_node),
    "file_entry": Layout(_encode_file_entry, _decode_file_entry),
    "stamps": Layout(_encode_stamps, _decode_stamps),
}
