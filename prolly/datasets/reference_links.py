"""What refers to rows of one version, for whoever takes such rows away step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from prolly.codec import key as key_codec
from prolly.tables import Row, Table
from prolly.tree import NodeReader

from .manifest import Manifest
from .references import (
    Bond,
    ReferenceViolation,
    bond_of,
    misfit_of,
    missing_row,
    named_key,
    open_table,
    referring_rows,
)


class ReferenceLinks:
    """The references of a version, whose tables are opened once.

    One that does not fit the table that it refers to is left out.
    """

    def __init__(self, reader: NodeReader, version: bytes) -> None:
        self._bonds: list[tuple[Bond, Table]] = []
        manifest = Manifest(reader, version)
        for identity, child in manifest.by_id.items():
            if child.kind != "table" or not child.schema["references"]:
                continue
            table = open_table(reader, child)
            for reference in table.schema.references:
                bond = bond_of(manifest, identity, reference.name)
                if bond is not None and not misfit_of(child, reference, bond):
                    self._bonds.append((bond, table))

    def violations(
        self, gone: Mapping[bytes, Sequence[bytes]]
    ) -> Iterator[ReferenceViolation]:
        """Yield what would break without some rows, by dataset id and encoded key.

        By table, reference and key of the row that refers. Rows that refer and are to
        go themselves are among them.
        """
        for bond, child in self._bonds:
            found = [
                one
                for key in gone.get(bond.parent_id, ())
                for one in _referring(bond, child, key)
            ]
            for one in sorted(found, key=lambda one: one.child_key):
                error = missing_row(bond, child.row_key(one.row), one.row)
                yield bond.violation(one.child_key, one.key, error)


class _Referring(NamedTuple):
    """A row, the encoded key that it has, and the one that it refers to."""

    child_key: bytes
    key: bytes
    row: Row


def _referring(bond: Bond, child: Table, key: bytes) -> Iterator[_Referring]:
    for row in referring_rows(child, bond.reference, key_codec.decode(key)):
        if named_key(row, bond.reference.columns) == key:
            yield _Referring(child.encode_key(child.row_key(row)), key, row)
