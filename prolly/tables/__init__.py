"""Records: column types, schemas, rows and tables over the tree.

This room knows what a record is, how its cells are typed, checked and spelt, and how a
table is read and edited. It must not know of commits, branches or files on disk.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from .alteration import Alteration
    from .arrow_layout import ArrowLayout
    from .arrow_library import OffersArrow, offers_arrow, require_pyarrow
    from .arrow_reading import ArrowColumns, adapted, arrow_slices
    from .automatic_keys import automatic_column
    from .check import Check, bound_checks
    from .column import COLUMN_NAME_BYTES_MAX, FILL_BYTES_MAX, Column, cell_text
    from .column_types import ColumnType
    from .constraints import (
        INDEX_PREFIX_MAX,
        INDEXES_MAX,
        Index,
        Reference,
        with_indexes_of_references,
    )
    from .conversion import converted, first_lossy
    from .encoded_batches import EncodedBatches, EncodedRecords, encode_batches
    from .filtered_rows import FilteredRows
    from .index_codec import IndexCodec
    from .index_faults import IndexViolation, Vetted, index_violations
    from .index_upkeep import Trees, carry_indexes
    from .inference import InferredColumn, JsonInference, TextInference, TextState
    from .mutable_table import LoadMode, Missing, MutableTable, OnDuplicate
    from .new_entries import NewEntries
    from .predicate import PREDICATE_DEPTH_MAX, PREDICATE_TERMS_MAX, Predicate
    from .predicate_text import (
        PREDICATE_CHARS_MAX,
        Where,
        as_predicate,
        format_predicate,
    )
    from .record_codec import RecordCodec
    from .row_batches import ColumnBatches
    from .row_inference import RowInference
    from .row_maker import Row
    from .schema import Schema, with_slots
    from .schema_rules import COLUMNS_MAX
    from .stored_table import StoredTable
    from .table import Table
    from .table_index import IndexKeys, IndexRows, TableIndex
    from .table_reads import TableReads
    from .type_registry import COLUMN_TYPES, column_type

__all__ = [
    "COLUMNS_MAX",
    "COLUMN_NAME_BYTES_MAX",
    "COLUMN_TYPES",
    "FILL_BYTES_MAX",
    "INDEXES_MAX",
    "INDEX_PREFIX_MAX",
    "PREDICATE_CHARS_MAX",
    "PREDICATE_DEPTH_MAX",
    "PREDICATE_TERMS_MAX",
    "Alteration",
    "ArrowColumns",
    "ArrowLayout",
    "Check",
    "Column",
    "ColumnBatches",
    "ColumnType",
    "EncodedBatches",
    "EncodedRecords",
    "FilteredRows",
    "Index",
    "IndexCodec",
    "IndexKeys",
    "IndexRows",
    "IndexViolation",
    "InferredColumn",
    "JsonInference",
    "LoadMode",
    "Missing",
    "MutableTable",
    "NewEntries",
    "OffersArrow",
    "OnDuplicate",
    "Predicate",
    "RecordCodec",
    "Reference",
    "Row",
    "RowInference",
    "Schema",
    "StoredTable",
    "Table",
    "TableIndex",
    "TableReads",
    "TextInference",
    "TextState",
    "Trees",
    "Vetted",
    "Where",
    "adapted",
    "arrow_slices",
    "as_predicate",
    "automatic_column",
    "bound_checks",
    "carry_indexes",
    "cell_text",
    "column_type",
    "converted",
    "encode_batches",
    "first_lossy",
    "format_predicate",
    "index_violations",
    "offers_arrow",
    "require_pyarrow",
    "with_indexes_of_references",
    "with_slots",
]

# Where each name is defined. Modules are loaded when a name of theirs is asked for:
# a program that only reads would else spend most of its start on what it never uses.
_MODULES = {
    "alteration": ("Alteration",),
    "arrow_layout": ("ArrowLayout",),
    "arrow_library": ("OffersArrow", "offers_arrow", "require_pyarrow"),
    "arrow_reading": ("ArrowColumns", "adapted", "arrow_slices"),
    "automatic_keys": ("automatic_column",),
    "check": ("Check", "bound_checks"),
    "column": ("COLUMN_NAME_BYTES_MAX", "FILL_BYTES_MAX", "Column", "cell_text"),
    "column_types": ("ColumnType",),
    "constraints": (
        "INDEX_PREFIX_MAX",
        "INDEXES_MAX",
        "Index",
        "Reference",
        "with_indexes_of_references",
    ),
    "conversion": ("converted", "first_lossy"),
    "encoded_batches": ("EncodedBatches", "EncodedRecords", "encode_batches"),
    "filtered_rows": ("FilteredRows",),
    "index_codec": ("IndexCodec",),
    "index_upkeep": ("Trees", "carry_indexes"),
    "index_faults": ("IndexViolation", "Vetted", "index_violations"),
    "inference": (
        "InferredColumn",
        "JsonInference",
        "TextInference",
        "TextState",
    ),
    "mutable_table": ("LoadMode", "Missing", "MutableTable", "OnDuplicate"),
    "new_entries": ("NewEntries",),
    "predicate": ("PREDICATE_DEPTH_MAX", "PREDICATE_TERMS_MAX", "Predicate"),
    "predicate_text": (
        "PREDICATE_CHARS_MAX",
        "Where",
        "as_predicate",
        "format_predicate",
    ),
    "record_codec": ("RecordCodec",),
    "row_batches": ("ColumnBatches",),
    "row_inference": ("RowInference",),
    "row_maker": ("Row",),
    "schema": ("Schema", "with_slots"),
    "schema_rules": ("COLUMNS_MAX",),
    "stored_table": ("StoredTable",),
    "table": ("Table",),
    "table_index": ("IndexKeys", "IndexRows", "TableIndex"),
    "table_reads": ("TableReads",),
    "type_registry": ("COLUMN_TYPES", "column_type"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> _typing.Any:
    """Load the module that defines a name of this room, and keep the name."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value
