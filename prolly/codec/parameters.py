"""The parameters of a record tree: between which weights its nodes end, and the seed.

    CBOR [ weight_min, weight_max, seed ]

Equal records under equal parameters make the same tree. They stand in the dataset's
descriptor and are hashed with it. Page: docs/spec/descriptors.md.
"""

from __future__ import annotations

from typing import NamedTuple, Self

from prolly.errors import Corrupt, Invalid

from .key import KEY_BYTES_MAX
from .reference import INLINE_BYTES_MAX

# The largest leaf entry: key, stored value, and the 8 that the format counts for it.
ENTRY_WEIGHT_MAX = KEY_BYTES_MAX + INLINE_BYTES_MAX + 8
# Two of the largest entries must fit below the smallest weight, or a node that is not
# the last of its level could hold one entry, and a tree might never narrow to a root.
WEIGHT_MIN_LEAST = 2 * ENTRY_WEIGHT_MAX
# A node is read and hashed whole: a megabyte is far past any use, and keeps every node
# well within the size of a chunk.
WEIGHT_MAX_MOST = 1 << 20
SEED_MAX = (1 << 64) - 1


class _Parameters(NamedTuple):
    weight_min: int
    weight_max: int
    seed: int


class TreeParameters(_Parameters):
    """Bounds of a node's weight, and the seed of the priorities.

    Raises Invalid ``tree-parameters`` unless weight_min is at least twice the largest
    entry, weight_max at least 1.5 times weight_min and at most a megabyte, and the seed
    an unsigned 64-bit integer.
    """

    __slots__ = ()

    def __new__(
        cls, weight_min: int = 4080, weight_max: int = 12240, seed: int = 0
    ) -> Self:
        fault = _fault(weight_min, weight_max, seed)
        if fault:
            raise Invalid(
                f"not valid as tree parameters: {fault}",
                code="tree-parameters",
                hint="Use the defaults; only the seed is meant to be chosen.",
            )
        return super().__new__(cls, weight_min, weight_max, seed)

    def to_value(self) -> list[int]:
        """Return the plain value that stands in a descriptor."""
        return list(self)

    @classmethod
    def from_value(cls, value: object) -> TreeParameters:
        """Return the parameters that a plain value spells; else Corrupt."""
        if type(value) is not list or len(value) != 3:
            raise Corrupt("tree parameters are three integers", code="tree-parameters")
        try:
            return cls(*value)
        except Invalid as error:
            raise Corrupt(error.message, code="tree-parameters") from error


def _fault(weight_min: object, weight_max: object, seed: object) -> str:
    if not (type(weight_min) is type(weight_max) is type(seed) is int):
        return "they are three integers"
    assert isinstance(weight_min, int) and isinstance(weight_max, int)
    assert isinstance(seed, int)
    if weight_min < WEIGHT_MIN_LEAST:
        return f"weight_min {weight_min} is below {WEIGHT_MIN_LEAST}"
    if 2 * weight_max < 3 * weight_min:
        return f"weight_max {weight_max} is below 1.5 x weight_min {weight_min}"
    if weight_max > WEIGHT_MAX_MOST:
        return f"weight_max {weight_max} is over {WEIGHT_MAX_MOST}"
    if not 0 <= seed <= SEED_MAX:
        return "the seed is an unsigned 64-bit integer"
    return ""


DEFAULT_PARAMETERS = TreeParameters()
# Trees of the format's own: manifest, conflicts, stamps and blobs. Constants of the
# format, equal to the defaults of today but not bound to them.
FORMAT_PARAMETERS = TreeParameters(weight_min=4080, weight_max=12240, seed=0)
