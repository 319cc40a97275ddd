"""The rules of names that every store keeps: what a name is, when a move holds.

Pure functions: a store hands in how it reads a ref, and applies the plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from prolly.codec import ADDRESS_BYTES
from prolly.codec.pack import CHUNK_BYTES_MAX
from prolly.codec.store_entry import LOG_MOVES_MAX
from prolly.errors import Corrupt, Error, Invalid, LimitExceeded, Stale

from .contract import REF_NAME_BYTES_MAX, RefMove

_CONTROL = re.compile("[\x00-\x1f\x7f]")

# Settings of the store itself: its format, its counters.
RESERVED_SETTINGS = "store."


def encode_name(name: str) -> bytes:
    """Return the bytes of a ref's or setting's name.

    Raises Invalid ``ref-name`` for an empty name, control characters and lone
    surrogates, LimitExceeded ``ref-name`` past ``REF_NAME_BYTES_MAX`` bytes.
    """
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        raise _bad_name(name, "holds a lone surrogate") from None
    if not encoded:
        raise _bad_name(name, "is empty")
    if len(encoded) > REF_NAME_BYTES_MAX:
        raise LimitExceeded(
            f"a name of {len(encoded)} bytes is past {REF_NAME_BYTES_MAX}",
            code="ref-name",
            hint="Choose a shorter name.",
            limit=REF_NAME_BYTES_MAX,
            actual=len(encoded),
        )
    if _CONTROL.search(name):
        raise _bad_name(name, "holds a control character")
    return encoded


def _bad_name(name: str, reason: str) -> Invalid:
    return Invalid(
        f"the name {name!r} {reason}",
        code="ref-name",
        hint="A name is text without control characters.",
        ref=name,
    )


def decode_name(stored: bytes) -> str:
    """Return the name that stored bytes are. Raises Corrupt ``store-entry``."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        raise _bad_ref(f"the name {stored!r} in the store is not UTF-8") from None


def fault_of_ref(stored: bytes, address: bytes) -> Corrupt | None:
    """Return what is wrong with a stored name and its target, or ``None``."""
    if len(address) != ADDRESS_BYTES:
        return _bad_ref(f"the name {stored!r} in the store leads to no address")
    try:
        encode_name(decode_name(stored))
    except Corrupt as error:
        return error
    except Error as error:
        return _bad_ref(f"in the store: {error.message}")
    return None


def _bad_ref(what: str) -> Corrupt:
    return Corrupt(
        what,
        code="store-entry",
        hint="Restore the file data.mdb from a backup, or clone another replica.",
    )


def encode_setting_name(name: str) -> bytes:
    """Return the bytes of a setting that a user may write.

    Raises Invalid ``setting-reserved`` for the names that a store keeps for itself.
    """
    if name.startswith(RESERVED_SETTINGS):
        raise Invalid(
            f"the setting {name!r} belongs to the store",
            code="setting-reserved",
            hint=f"Choose a name that does not begin with {RESERVED_SETTINGS!r}.",
        )
    return encode_name(name)


def check_chunk_size(size: int) -> None:
    """Raise Invalid for an empty chunk, LimitExceeded past ``CHUNK_BYTES_MAX``."""
    if size == 0:
        raise Invalid(
            "a chunk is at least one byte",
            code="chunk-empty",
            hint="Put the bytes of a chunk, its type first.",
        )
    if size > CHUNK_BYTES_MAX:
        raise LimitExceeded(
            f"a chunk of {size} bytes is past {CHUNK_BYTES_MAX}",
            code="chunk-size",
            hint="Store it as a blob, which is cut into pieces.",
            limit=CHUNK_BYTES_MAX,
            actual=size,
        )


def check_moves(moves: Sequence[RefMove]) -> None:
    """Raise Invalid when a name or address is none, or one name is moved twice."""
    if len(moves) > LOG_MOVES_MAX:
        raise LimitExceeded(
            f"{len(moves)} moves in one commit are past {LOG_MOVES_MAX}",
            code="ref-moves",
            hint="Move the refs in several steps.",
            limit=LOG_MOVES_MAX,
            actual=len(moves),
        )
    names = set()
    for move in moves:
        encode_name(move.name)
        if move.name in names:
            raise Invalid(
                f"{move.name} is moved twice in one step",
                code="ref-twice",
                hint="Give one move for each ref.",
                ref=move.name,
            )
        names.add(move.name)
        for address in (move.old, move.new):
            if address is not None and len(address) != ADDRESS_BYTES:
                raise Invalid(
                    f"{move.name}: an address is {ADDRESS_BYTES} bytes",
                    code="address",
                    hint="A ref points at the address of a chunk.",
                    ref=move.name,
                )


def plan_moves(
    moves: Sequence[RefMove], read: Callable[[str], bytes | None]
) -> list[RefMove]:
    """Return the moves that change something, after every one was seen to hold.

    A move with ``old == new`` is a pure check. Raises Stale ``ref-moved`` (fields
    ``ref``, ``expected``, ``actual``) for the first that does not hold.
    """
    for move in moves:
        actual = read(move.name)
        if actual != move.old:
            raise Stale(
                f"{move.name} is at {_show(actual)}, not at {_show(move.old)}",
                code="ref-moved",
                hint="Somebody else moved it first: read it again, then retry.",
                ref=move.name,
                expected=move.old,
                actual=actual,
            )
    return [move for move in moves if move.old != move.new]


def _show(address: bytes | None) -> str:
    return "nothing" if address is None else address.hex()[:12]
