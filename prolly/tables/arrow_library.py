"""The door to pyarrow, which is an extra and takes long to import.

pyarrow has no types of its own, so what comes through here is ``Any``.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeGuard

from prolly.errors import Unsupported

# The name of a column type, in the metadata of an Arrow field whose own type does not
# tell: text that spells decimals, long integers, datetimes or JSON.
TYPE_METADATA = b"prolly.type"
# Columns and key of a table, as JSON, in the metadata of an Arrow schema.
SCHEMA_METADATA = b"prolly.schema"


def require_pyarrow() -> Any:
    """Return the module pyarrow; Unsupported ``missing-extra`` where there is none."""
    try:
        import pyarrow
    except ImportError as error:
        raise Unsupported(
            "Arrow, Parquet and DataFrames need the package pyarrow",
            code="missing-extra",
            hint="`pip install 'prolly[arrow]'` installs it.",
            extra="arrow",
        ) from error
    return pyarrow


class OffersArrow(Protocol):
    """Hands out Arrow data through the PyCapsule interface, as a stream."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return a capsule with an Arrow C stream."""


def offers_arrow(thing: object) -> TypeGuard[OffersArrow]:
    """Tell whether an object hands out Arrow data: a Table, a DataFrame, a reader."""
    return hasattr(thing, "__arrow_c_stream__") or hasattr(thing, "__arrow_c_array__")
