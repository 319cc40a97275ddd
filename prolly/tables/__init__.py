"""Records: column types, schemas, rows and tables over the tree.

This room knows what a record is, how its cells are typed, checked and spelt, and how a
table is read and edited. It must not know of commits, branches or files on disk.
"""

from __future__ import annotations

from .column import COLUMN_NAME_BYTES_MAX, FILL_BYTES_MAX, Column
from .column_types import ColumnType
from .inference import InferredColumn, JsonInference, TextInference
from .mutable_table import LoadMode, MutableTable, OnDuplicate
from .record_codec import RecordCodec, Row
from .row_batches import ColumnBatches
from .row_inference import RowInference
from .schema import COLUMNS_MAX, Schema
from .table import Table
from .type_registry import COLUMN_TYPES, column_type

__all__ = [
    "COLUMNS_MAX",
    "COLUMN_NAME_BYTES_MAX",
    "COLUMN_TYPES",
    "FILL_BYTES_MAX",
    "Column",
    "ColumnBatches",
    "ColumnType",
    "InferredColumn",
    "JsonInference",
    "LoadMode",
    "MutableTable",
    "OnDuplicate",
    "RecordCodec",
    "Row",
    "RowInference",
    "Schema",
    "Table",
    "TextInference",
    "column_type",
]
