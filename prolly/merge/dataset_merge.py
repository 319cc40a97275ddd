"""Three descriptions of one dataset made one, with all that they describe.

    base    ours       theirs     merged
    any     x          x          ours, unless a counter must add both changes
    b       b          t          theirs; absent is one such t
    b       o          b          ours
    b       -          t          t stays, and a conflict: dropped and changed
    -/b     o          t          field by field, record by record:

    name          what one side gave; both: ours', for a virtual base the base's, and a
                  conflict
    local         what one side changed; new on both and different: true
    parameters    the bytewise smaller; the other side's trees are cut anew
    policies      each scope as one field; both changed it: the base's, and a conflict
    schema        ``schema_merge``
    records       ``RecordMerge`` under the merged schema and parameters
    blob          as one value

What cannot be merged at all (another key of a table, another kind) stands as ours has
it, for a virtual base as the base has it, and is one conflict; in an unattended merge
the greater of both stands, and the other becomes a dataset of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from blake3 import blake3

from prolly.codec import (
    DATASET_ID_BYTES,
    DATASET_NAME_BYTES_MAX,
    STAMPED_POLICY,
    Descriptor,
    cbor,
)
from prolly.datasets import root_reference, stored_table
from prolly.maps import ABSENT
from prolly.tables import Schema
from prolly.tree import Versions

from .candidate import Candidate
from .column_merge import SchemaConflict, Side, apart, three_way
from .conflict_log import ConflictEntry, ConflictKind
from .findings import LOSERS_ID
from .merge_work import (
    DatasetVersions,
    MergeWork,
    needs_equal,
    recut,
    stamps_versions,
    walked,
)
from .stamp_tree import BLOB_KEY, SideStamps, merge_stamps, stamps_root
from .table_merge import merge_tables, under_schema
from .values import Values, last_written


def merge_dataset(
    work: MergeWork, identity: bytes, versions: DatasetVersions
) -> Candidate | None:
    """Return what is to stand where that is not ours; None drops the dataset.

    Not for a dataset that stands as ours has it (``stands_as_ours``).
    """
    base, ours, theirs = versions
    if theirs is None:
        if ours is None or ours == base:
            return None
        reason = "theirs dropped it, and ours changed it"
        work.conflict(identity, SchemaConflict("dropped", reason))
        return taken(work, identity, versions, "ours")
    if ours is None or ours == base:
        if ours is None and base is not None:
            reason = "ours dropped it, and theirs changed it"
            work.conflict(identity, SchemaConflict("dropped", reason))
        return taken(work, identity, DatasetVersions(base, ours, theirs))
    if ours.kind != theirs.kind:
        reason = f"it is a {ours.kind} in ours and a {theirs.kind} in theirs"
        return _whole(work, identity, versions, SchemaConflict("kind", reason))
    entry = _fields(work, identity, versions)
    if ours.kind == "blob":
        return _blob(work, identity, versions, entry)
    if ours.kind == "table":
        merged = merge_tables(work, identity, versions, entry)
        if isinstance(merged, SchemaConflict):
            return _whole(work, identity, versions, merged)
        return merged
    return _records(work, identity, versions, entry)


def stands_as_ours(work: MergeWork, versions: DatasetVersions) -> bool:
    """Tell whether theirs adds nothing to ours, without reading a record."""
    base, ours, theirs = versions
    if theirs == base:
        return True
    if ours != theirs:
        return False
    return ours is None or not needs_equal(work, ours)


def taken(
    work: MergeWork, identity: bytes, versions: DatasetVersions, side: Side = "theirs"
) -> Candidate:
    """Return a dataset as one side has it, under the name that it is to have."""
    entry = versions.theirs if side == "theirs" else versions.ours
    assert entry is not None
    name = work.names.get(identity, entry.name)
    trees = work.trees(entry.parameters)
    both: dict[Side, Descriptor | None]
    both = {"ours": versions.ours, "theirs": versions.theirs}
    schema = None
    index_roots = None
    if entry.kind == "table":
        stored = stored_table(entry)
        schema = _with_tables(work, stored.schema, side)
        index_roots = stored.indexes

    def under(other: Side) -> Callable[[], bytes | None]:
        return lambda: under_schema(trees, entry, both[other], schema)

    return Candidate(
        identity,
        replace(entry, name=name),
        None if entry.kind == "blob" else entry.roots[0].address,
        trees,
        both,
        {"ours": under("ours"), "theirs": under("theirs")},
        schema,
        event="taken" if side == "theirs" else "kept",
        index_roots=index_roots,
        stamps=stamps_root(entry),
    )


def _with_tables(work: MergeWork, schema: Schema, side: Side) -> Schema:
    """Return a side's schema with the names that tables are to have."""
    ids = work.tables.ours if side == "ours" else work.tables.theirs
    references = [
        replace(one, table=work.tables.merged[ids[one.table]])
        if one.table in ids
        else one
        for one in schema.references
    ]
    return replace(schema, references=tuple(references))


def _fields(work: MergeWork, identity: bytes, versions: DatasetVersions) -> Descriptor:
    """Return the description but for schema and trees."""
    base, ours, theirs = versions
    assert ours is not None and theirs is not None
    local, clash = three_way(
        False if base is None else base.local, ours.local, theirs.local
    )
    assert not clash
    parameters = min(
        ours.parameters, theirs.parameters, key=lambda one: cbor.encode(one.to_value())
    )
    policies: dict[str, Any] = {}
    stood = {} if base is None else base.policies
    for scope in sorted({*stood, *ours.policies, *theirs.policies}):
        three = [one.get(scope) for one in (stood, ours.policies, theirs.policies)]
        policy, clash = three_way(*three)
        if clash:
            reason = f"it is {three[1]} in ours and {three[2]} in theirs"
            work.conflict(identity, SchemaConflict(f"policy {scope}", reason))
            policy = three[0]
        if policy is not None:
            policies[scope] = policy
    return replace(
        ours,
        name=work.names[identity],
        local=local,
        parameters=parameters,
        policies=policies,
        roots=(),
    )


def _whole(
    work: MergeWork,
    identity: bytes,
    versions: DatasetVersions,
    conflict: SchemaConflict,
) -> Candidate:
    """Return one version of a dataset whose versions cannot be merged."""
    base, ours, theirs = versions
    assert ours is not None and theirs is not None
    mode = work.rules.on_conflict
    if mode == "base" and base is not None:
        return taken(work, identity, DatasetVersions(base, ours, base))
    if mode != "keep-both":
        work.conflict(identity, conflict)
        return taken(work, identity, versions, "ours")
    side: Side = "ours" if _weight(ours) > _weight(theirs) else "theirs"
    _keep_loser(work, identity, theirs if side == "ours" else ours)
    return taken(work, identity, versions, side)


def _weight(entry: Descriptor) -> bytes:
    """Return what decides which of two versions of a dataset stands."""
    addresses = [bytes(one.address) for one in entry.content_roots]
    return cbor.encode([entry.kind, entry.schema, addresses])


def _keep_loser(work: MergeWork, identity: bytes, entry: Descriptor) -> None:
    """Let the version of a dataset that lost stand as a dataset of its own."""
    if identity == LOSERS_ID:
        return
    mark = blake3(cbor.encode([identity, _weight(entry)])).digest()[:DATASET_ID_BYTES]
    taken_names = {*work.names.values()}
    name = apart(
        work.names[identity], mark.hex()[:8], taken_names, DATASET_NAME_BYTES_MAX
    )
    schema = entry.schema
    if entry.kind == "table":
        # What it refers to may change without it.
        schema = replace(stored_table(entry).schema, references=()).to_value()
    work.names[mark] = name
    work.extra[mark] = replace(entry, name=name, schema=schema)


def _blob(
    work: MergeWork, identity: bytes, versions: DatasetVersions, entry: Descriptor
) -> Candidate:
    base, ours, theirs = versions
    assert ours is not None and theirs is not None
    content, clash = three_way(
        None if base is None else base.content_roots,
        ours.content_roots,
        theirs.content_roots,
    )
    stamped = stamps_versions(versions)
    last = None
    if work.policies(entry).of(b"") == STAMPED_POLICY:
        stamps = SideStamps(work.reader, stamped).find(BLOB_KEY, None)
        sides = Values(ABSENT, ours.content_roots, theirs.content_roots)
        last = last_written(sides, stamps)
    if last is not None:
        content = last.value
    elif clash:
        content = _settled_blob(work, identity, versions, entry)
    entry = replace(entry, roots=content)
    if entry.keeps_stamps:
        merged = merge_stamps(work.reader, work.writer, stamped)
        merged.clashes.close()
        entry = replace(
            entry, roots=(*content, root_reference(work.reader, merged.root))
        )
    candidate = taken(work, identity, versions, "ours")
    return replace(candidate, entry=entry, event="merged")


def _settled_blob(
    work: MergeWork, identity: bytes, versions: DatasetVersions, entry: Descriptor
) -> tuple[Any, ...]:
    """Return the roots of the blob that stands, where both sides changed it."""
    base, ours, theirs = versions
    assert ours is not None and theirs is not None
    policy, mode = work.policies(entry).of(b""), work.rules.on_conflict
    if policy in ("ours", "theirs"):
        return ours.content_roots if policy == "ours" else theirs.content_roots
    if mode == "keep-both" or policy in ("keep-both", "last-writer-wins"):
        winner, loser = sorted((ours, theirs), key=_weight, reverse=True)
        if mode != "base":
            _keep_loser(work, identity, loser)
        return winner.content_roots
    if mode == "base" and base is not None:
        return base.content_roots
    entry_of_log = ConflictEntry(reason="both sides changed the blob")
    work.findings.record(
        identity,
        work.names[identity],
        (ConflictKind.RECORD, BLOB_KEY, entry_of_log),
        lambda: ABSENT,
    )
    return ours.content_roots


def _records(
    work: MergeWork, identity: bytes, versions: DatasetVersions, entry: Descriptor
) -> Candidate:
    """Merge a map, or files."""
    trees = work.trees(entry.parameters)
    base = versions.base
    if base is not None and base.kind != entry.kind:
        base = None
    cut = [
        None if one is None else recut(trees, one)
        for one in (base, versions.ours, versions.theirs)
    ]
    roots = Versions(*cut)
    walk, lost_files, stamps = walked(work, (identity, entry, None), versions, roots)
    candidate = Candidate(
        identity,
        entry,
        walk.root,
        trees,
        {"ours": versions.ours, "theirs": versions.theirs},
        {"ours": lambda: roots.ours, "theirs": lambda: roots.theirs},
        is_mixed=True,
        walk=walk,
        stamps=stamps,
    )
    lost_files.keep(candidate)
    return candidate
