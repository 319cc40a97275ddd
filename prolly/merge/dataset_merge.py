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

from typing import Any

from prolly.codec import Descriptor, cbor
from prolly.tree import Versions

from .blob_merge import merge_blobs
from .candidate import Candidate
from .column_merge import SchemaConflict, Side, three_way
from .lost_datasets import weight_of
from .merge_work import DatasetVersions, Described, MergeWork, needs_equal, recut
from .record_walk import walked
from .table_merge import merge_tables
from .taken_dataset import taken


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
        return merge_blobs(work, identity, versions, entry)
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
    return ours._replace(
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
    side: Side = "ours" if weight_of(ours) > weight_of(theirs) else "theirs"
    work.lost.append((identity, theirs if side == "ours" else ours))
    return taken(work, identity, versions, side)


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
    dataset = Described(identity, entry)
    walk, lost_files, stamps = walked(work, dataset, versions, roots)
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
    lost_files.keep(candidate, roots.base)
    return candidate
