"""Descriptors: what the manifest says of one dataset.

    stored value   references: roots | payload
    out of line    references: roots, piece | nothing
    payload        CBOR [ name, kind, parameters, schema, policies, local ]

The manifest is a record tree from dataset id to descriptor. A payload that does not fit
next to the roots goes into one blob piece, the last reference. Page:
docs/spec/descriptors.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from blake3 import blake3

from prolly.errors import Corrupt, Invalid, LimitExceeded

from . import cbor, key
from .address import ChunkType, address_of, require_type
from .name_marks import hidden_mark
from .parameters import DEFAULT_PARAMETERS, TreeParameters
from .reference import (
    REFERENCE_BYTES,
    REFERENCES_MAX,
    REFERRING_BYTES_MAX,
    Reference,
    Referring,
    decode_referring,
    encode_referring,
)
from .shown_value import shown

DATASET_KINDS = ("map", "table", "blob", "files")
DATASET_ID_BYTES = 8
# In front of the id of a local dataset, so that no dataset of a commit has that id.
LOCAL_ID_MARK = b"\0"
# What a dataset that merges make by themselves is called begins so.
RESERVED_NAMES = "prolly/"
# The longest file name of common file systems, so that a dataset can become a file.
DATASET_NAME_BYTES_MAX = 255
# One reference stays free for a payload out of line.
DESCRIPTOR_ROOTS_MAX = REFERENCES_MAX - 1
# Schema and policies of thousands of columns; read whole whenever a dataset is opened.
DESCRIPTOR_BYTES_MAX = 1 << 20

# The policy whose stamps a dataset keeps in a tree of their own, its last root.
STAMPED_POLICY = "last-writer-wins"
# The policy whose sets have a tag for each time that an element was put in: these stand
# with the stamps.
TAGGED_POLICY = "set:add-wins"

_PIECE_HEAD = bytes((ChunkType.BLOB_PIECE,))


class Descriptor(NamedTuple):
    """One dataset: its name and kind, its trees, how they are cut, and its rules.

    ``roots[0]`` is the records; indexes follow, and the stamps where some are kept.
    ``schema`` is a plain value, None where the kind has none; ``policies`` is a map of
    plain values. A ``local`` dataset stays out of commits, and so out of sync.
    """

    name: str
    kind: str
    roots: tuple[Reference, ...]
    parameters: TreeParameters = DEFAULT_PARAMETERS
    schema: Any = None
    policies: Mapping[str, Any] = {}
    local: bool = False

    @property
    def keeps_stamps(self) -> bool:
        """Tell whether the last root is that of stamps: some policy asks for them."""
        return _keep_stamps(self.policies)

    @property
    def stamps(self) -> Reference | None:
        """The root of the stamps; None without any, or before there are trees."""
        return self.roots[-1] if self.roots and self.keeps_stamps else None

    @property
    def content_roots(self) -> tuple[Reference, ...]:
        """The roots of records and indexes."""
        return self.roots[:-1] if self.keeps_stamps else self.roots


def encode_descriptor(descriptor: Descriptor) -> tuple[Referring, bytes | None]:
    """Return the stored value, and the blob piece to write with it, or None.

    Raises Invalid ``dataset-name`` or as ``cbor.encode``; LimitExceeded
    ``descriptor-too-long`` past a megabyte or past 29 roots.
    """
    check_dataset_name(descriptor.name)
    assert descriptor.kind in DATASET_KINDS and descriptor.content_roots
    payload = cbor.encode(
        [
            descriptor.name,
            descriptor.kind,
            descriptor.parameters.to_value(),
            descriptor.schema,
            descriptor.policies,
            descriptor.local,
        ]
    )
    roots = descriptor.roots
    if len(roots) > DESCRIPTOR_ROOTS_MAX or len(payload) > DESCRIPTOR_BYTES_MAX:
        raise LimitExceeded(
            f"the description of dataset {descriptor.name!r} is too long",
            code="descriptor-too-long",
            hint=f"At most {DESCRIPTOR_ROOTS_MAX} trees, and {DESCRIPTOR_BYTES_MAX} "
            "bytes of schema and policies.",
        )
    if 1 + REFERENCE_BYTES * len(roots) + len(payload) <= REFERRING_BYTES_MAX:
        return encode_referring(roots, payload), None
    piece = _PIECE_HEAD + payload
    outside = Reference(address_of(piece), int(ChunkType.BLOB_PIECE))
    return encode_referring([*roots, outside]), piece


def decode_descriptor(value: bytes, read_piece: Callable[[bytes], bytes]) -> Descriptor:
    """Return the descriptor that a stored value spells.

    ``read_piece`` gives the chunk of an address. Raises Corrupt ``descriptor``,
    ``reference``, ``chunk-type``, ``tree-parameters`` or ``value-spelling``, and what
    ``read_piece`` raises.
    """
    references, payload = decode_referring(value)
    if not payload:
        *roots, outside = references
        if outside.kind != ChunkType.BLOB_PIECE or not roots:
            raise _bad_descriptor("its payload is missing")
        chunk = read_piece(outside.address)
        require_type(chunk, ChunkType.BLOB_PIECE)
        payload = chunk[1:]
        room = REFERRING_BYTES_MAX - 1 - REFERENCE_BYTES * len(roots)
        if not room < len(payload) <= DESCRIPTOR_BYTES_MAX:
            raise _bad_descriptor("its payload is in the wrong place")
        references = tuple(roots)
    return _from_value(cbor.decode(payload), references)


def dataset_id(
    name: str, kind: str, taken: Iterable[bytes], *, local: bool = False
) -> bytes:
    """Return the id of a new dataset: 8 bytes of the hash of its name and kind.

    While the id is among those taken, the next probe is tried. That of a ``local``
    dataset has the mark 00 in front: none is that of a dataset of a commit.
    """
    used = set(taken)
    mark = LOCAL_ID_MARK if local else b""
    probe = 0
    while True:
        digest = blake3(cbor.encode([name, kind, probe])).digest()
        found = mark + digest[:DATASET_ID_BYTES]
        if found not in used:
            return found
        probe += 1


def is_local_id(dataset: bytes) -> bool:
    """Tell whether an id is that of a local dataset."""
    return len(dataset) > DATASET_ID_BYTES


def manifest_key(dataset: bytes) -> bytes:
    """Return the key of a dataset's descriptor in the manifest."""
    return key.encode((dataset,))


def check_dataset_name(name: object) -> None:
    """Raise Invalid ``dataset-name`` for what cannot name a dataset.

    A name is text of 1 to 255 bytes without ``:`` and control characters, without
    empty parts between slashes.
    """
    fault = _name_fault(name)
    if fault:
        raise _bad_name(name, fault)


def check_new_dataset_name(name: object) -> None:
    """Raise Invalid ``dataset-name`` for what no dataset may be called from now on.

    As ``check_dataset_name``, and for marks that nobody sees: with them two names look
    equal. Such names were allowed once, and what has one stays readable. Invalid
    ``reserved-name`` for one that begins with ``RESERVED_NAMES``.
    """
    check_dataset_name(name)
    mark = hidden_mark(str(name))
    if mark:
        raise _bad_name(name, f"contains {mark}, which nobody sees")
    if str(name).startswith(RESERVED_NAMES):
        raise reserved_name(str(name))


def reserved_name(name: str) -> Invalid:
    """Return (not raise) the error for a dataset that nobody writes by hand."""
    return Invalid(
        f"{shown(name)} is kept by merges, and not written by hand",
        code="reserved-name",
        hint=f"Choose a name that does not begin with {RESERVED_NAMES!r}; what merges "
        "keep there may be read and deleted.",
        dataset=name,
    )


def _bad_name(name: object, fault: str) -> Invalid:
    return Invalid(
        f"not valid as the name of a dataset: {shown(name)} {fault}",
        code="dataset-name",
        hint="Use text of up to 255 bytes without ':', control characters and marks "
        "that nobody sees.",
    )


def _name_fault(name: object) -> str:
    if type(name) is not str:
        return "is not text"
    if any("\ud800" <= mark <= "\udfff" for mark in name):
        return "contains an unpaired surrogate"
    if not name or len(name.encode()) > DATASET_NAME_BYTES_MAX:
        return "is empty or too long"
    if ":" in name:
        return "contains ':'"
    if any(mark < " " or "\x7f" <= mark <= "\x9f" for mark in name):
        return "contains a control character"
    if "" in name.split("/"):
        return "begins or ends with '/', or has two in a row"
    return ""


def _from_value(value: Any, roots: tuple[Reference, ...]) -> Descriptor:
    if type(value) is not list or len(value) != 6:
        raise _bad_descriptor("it is no array of six")
    name, kind, parameters, schema, policies, local = value
    fault = _name_fault(name)
    if fault:
        raise _bad_descriptor(f"its name {name!r} {fault}")
    if kind not in DATASET_KINDS:
        raise _bad_descriptor(f"unknown kind {kind!r}")
    if type(policies) is not dict or type(local) is not bool:
        raise _bad_descriptor("its policies or its mark of locality")
    if len(roots) > DESCRIPTOR_ROOTS_MAX:
        raise _bad_descriptor(f"{len(roots)} trees")
    if _keep_stamps(policies) and len(roots) < 2:
        raise _bad_descriptor("the root of its stamps is missing")
    indexes = schema.get("indexes") if type(schema) is dict else None
    if kind == "table" and type(indexes) is list:
        expected = 1 + len(indexes) + _keep_stamps(policies)
        if len(roots) != expected:
            raise _bad_descriptor(f"{len(roots)} trees in place of {expected}")
    return Descriptor(
        name=name,
        kind=kind,
        roots=roots,
        parameters=TreeParameters.from_value(parameters),
        schema=schema,
        policies=policies,
        local=local,
    )


def _keep_stamps(policies: Mapping[str, Any]) -> bool:
    stand = policies.values()
    return STAMPED_POLICY in stand or TAGGED_POLICY in stand


def _bad_descriptor(reason: str) -> Corrupt:
    return Corrupt(
        f"not a dataset's descriptor: {reason}",
        code="descriptor",
        hint="The bytes are damaged, or a newer version wrote them.",
    )
