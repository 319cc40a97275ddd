"""Jobs over whole datasets and repositories: import and export of plain files.

A job reads or writes everything there is, with bounded memory. This room must not know
of servers, clients or the command line, and it prints nothing.
"""

from __future__ import annotations

from .alter_table import alter_table
from .export_table import export_table
from .import_table import ImportResult, Types, import_table
from .plain_files import FORMATS, format_of_name, open_table, write_table
from .table_source import BATCH_ROWS, Batch, TableSource, iter_typed

__all__ = [
    "BATCH_ROWS",
    "FORMATS",
    "Batch",
    "ImportResult",
    "TableSource",
    "Types",
    "alter_table",
    "export_table",
    "format_of_name",
    "import_table",
    "iter_typed",
    "open_table",
    "write_table",
]
