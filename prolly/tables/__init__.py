"""Records: column types, schema, rows and tables over ordered maps.

This room knows what a record is and how its cells are typed, checked and spelt. It must
not know of commits, branches or files on disk.
"""

from __future__ import annotations

from .column_types import ColumnType
from .inference import InferredColumn, JsonInference, TextInference
from .type_registry import COLUMN_TYPES, column_type

__all__ = [
    "COLUMN_TYPES",
    "ColumnType",
    "InferredColumn",
    "JsonInference",
    "TextInference",
    "column_type",
]
