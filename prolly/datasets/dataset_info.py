"""What a version tells of one of its datasets, without its records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prolly.codec import Address

if TYPE_CHECKING:
    from prolly.tables import Schema


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What a version says of one dataset: its kind, root, number of records, schema.

    The ``count`` of a blob is its bytes, that of a files dataset its files; None where
    a partial replica lacks what tells it, and cannot fetch it. A ``local`` dataset
    stays out of sync.
    """

    name: str
    kind: str
    root: Address
    count: int | None
    schema: Schema | None
    local: bool = False
