"""Give a table the schema that somebody wrote down: `prolly schema --set`."""

from __future__ import annotations

from prolly.repo import Workspace
from prolly.tables import Schema


def alter_table(
    workspace: Workspace, dataset: str, schema: Schema, *, force: bool = False
) -> bool:
    """Change the schema of a table; return whether it was another one before.

    ``force``: values may be lost. Raises NotFound ``no-such-dataset``, and as
    ``Alteration``: Invalid ``key-change``, ``missing-column``, ``alter-loses-data``,
    ``schema-violation`` and others.
    """
    workspace.require(dataset)
    table = workspace.table(dataset)
    if table.schema == schema:
        return False
    table.alter(force=force).become(schema)
    return True
