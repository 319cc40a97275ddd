"""Records that both sides changed, settled one by one: maps, tables and files.

The walk over the trees hands on the records that both sides changed; what each of them
comes to is decided here, in this order:

1. what one side changed within a record (a cell of a row) is taken;
2. the policy of the column, prefix or dataset;
3. for an ``app:`` policy, the resolver of that name;
4. ``resolve``, whatever the policy;
5. what remains is a conflict. ``on_conflict`` says what stands meanwhile: ``ours``, in
   an attended merge; ``base``, in a virtual base; with ``keep-both`` the greater value
   stands for good, nothing is reported, and the loser is handed to ``lost``.

Where bytes alone decide, nothing is decoded. Page: docs/spec/policies.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from prolly.tables import Schema
from prolly.tree import Both

from .table_records import TableRecords
from .terms import Terms
from .whole_records import FileRecords, MapRecords


class RecordMerge:
    """What settles the records of one dataset, for the walk over its trees.

    ``kind`` is ``map``, ``table`` or ``files``; a table has a schema, under which all
    three versions are stored. ``Terms`` says who decides and who is told: ``read``
    gives chunks of all versions, new long values and cells go into ``writer``;
    ``report`` is called with each conflict that stays; ``lost`` with the key and the
    stored record (None for a deletion) of a side that keep-both dropped, as a whole or
    a cell of it.
    """

    def __init__(self, kind: str, schema: Schema | None, terms: Terms) -> None:
        assert kind in ("map", "table", "files") and (schema is None) is (
            kind != "table"
        )
        self._terms = terms
        self._records: TableRecords | MapRecords | FileRecords
        if schema is not None:
            self._records = TableRecords(terms, schema)
        elif kind == "map":
            self._records = MapRecords(terms)
        else:
            self._records = FileRecords(terms)

    @property
    def equal_too(self) -> bool:
        """Tell whether records changed alike on both sides count: two steps of a
        counter.

        The walk then has to hand on these, too.
        """
        return "counter" in self._terms.policies.names

    def settle(self, batch: Sequence[Both]) -> list[bytes | None]:
        """Return what stands for each record, in order; None for absent.

        Raises Corrupt for stored records that do not decode, and what ``read``,
        ``writer``, ``report`` and ``lost`` raise; never what a resolver raises.
        """
        return self._records.settle(batch)
