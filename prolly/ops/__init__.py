"""Jobs over whole datasets and repositories: import and export of plain files.

A job reads or writes everything there is, with bounded memory. This room must not know
of servers, clients or the command line, and it prints nothing.
"""

from __future__ import annotations

from .plain_files import FORMATS, format_of_name, open_table, write_table
from .table_source import BATCH_ROWS, Batch, TableSource, iter_typed

__all__ = [
    "BATCH_ROWS",
    "FORMATS",
    "Batch",
    "TableSource",
    "format_of_name",
    "iter_typed",
    "open_table",
    "write_table",
]
