"""The ten column types by name."""

from __future__ import annotations

from types import MappingProxyType

from prolly.codec import shown
from prolly.errors import Invalid

from .column_types import ColumnType
from .number_types import DecimalType, FloatType, IntType
from .plain_types import BoolType, BytesType, JsonType, TextType, UuidType
from .time_types import DatetimeType, DateType

COLUMN_TYPES = MappingProxyType(
    {
        one.name: one
        for one in (
            BoolType(),
            IntType(),
            FloatType(),
            DecimalType(),
            TextType(),
            BytesType(),
            DateType(),
            DatetimeType(),
            UuidType(),
            JsonType(),
        )
    }
)


def column_type(name: object) -> ColumnType:
    """Return the type of this name, or raise Invalid ``column-type``."""
    found = COLUMN_TYPES.get(name) if isinstance(name, str) else None
    if found is None:
        raise Invalid(
            f"there is no column type {shown(name)}",
            code="column-type",
            hint=f"The types are {', '.join(COLUMN_TYPES)}.",
            name=name,
        )
    return found
