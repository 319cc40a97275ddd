"""A transaction's change merged into a branch that moved: isolation ``merge``.

The branch is ours and the change is theirs, as if it were a branch of its own: what was
committed first stays where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Mapping

from prolly.chunks import ChunkWriter
from prolly.errors import Stale
from prolly.merge import Resolve, Rules, merge_manifests
from prolly.tree import NodeReader, Versions

from .carry import Roots
from .conflict import Conflict
from .conflict_view import ConflictView
from .conflict_words import conflict_words


def merge_over(
    writer: ChunkWriter,
    reader: NodeReader,
    roots: Roots,
    resolvers: Mapping[str, Resolve],
) -> bytes:
    """Return the manifest that holds the change and what the branch has.

    Raises Stale ``write-conflict`` (``dataset``, ``key``, ``fields``, and of a rule
    that would be broken ``constraint``) for the first thing that stays in conflict.
    """
    if roots.theirs == roots.base:
        return roots.ours
    versions = Versions(roots.base, roots.theirs, roots.ours)
    merged = merge_manifests(reader, writer, versions, Rules(resolvers=resolvers))
    if merged.conflicts is not None:
        view = ConflictView(reader, merged.conflicts, versions, merged.root)
        raise _conflict(next(view.conflicts()), merged.conflict_count)
    return merged.root


def _conflict(first: Conflict, count: int) -> Stale:
    thing = "record " if first.kind != "schema" else ""
    more = f", and {count - 1} more" if count > 1 else ""
    columns = f" ({', '.join(first.fields)})" if first.fields else ""
    if first.kind == "constraint":
        return _broken(first, columns + more)
    # With a reason there is a policy, or a resolver, and this is why it did not settle.
    why = first.reason.rstrip(".") or "a policy of the dataset would settle it"
    return Stale(
        f"the {thing}{first.key!r} of {first.dataset!r}{columns} was changed by "
        f"another commit meanwhile{more}",
        code="write-conflict",
        hint=f"Read the branch again and repeat the change: {why}.",
        dataset=first.dataset,
        key=first.key,
        fields=first.fields,
    )


def _broken(first: Conflict, more: str) -> Stale:
    """Return the error for a rule that both changes together break."""
    return Stale(
        f"the record {first.key!r} of {first.dataset!r}{more} and what another commit "
        f"changed meanwhile break {conflict_words(first)}",
        code="write-conflict",
        hint="Read the branch again, and make a change with which the rule holds.",
        dataset=first.dataset,
        key=first.key,
        fields=first.fields,
        constraint=first.facts.get("constraint"),
    )
