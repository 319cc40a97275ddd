"""A merge of two branches in one durable commit, by what the rooms offer."""

from __future__ import annotations

from prolly.chunks import RefMove
from prolly.codec import Commit, encode_commit
from prolly.merge import Rules, merge_manifests
from prolly.repo import Repository
from prolly.tree import NodeReader, Versions


def merge_branch(repository: Repository, into: str, branch: str) -> str:
    """Merge a branch that changed other records; return the id of the commit.

    The reader begins with an empty cache, as in a program that merges and ends.
    """
    ours, theirs = (repository.commit_of(name) for name in (into, branch))
    base = repository.merge_base(into, branch)
    assert base is not None, "both began at the first commit"
    roots = Versions(repository.commit_of(base).root, ours.root, theirs.root)
    parents = bytes(repository.resolve(into)), bytes(repository.resolve(branch))
    with repository.store.writer() as writer:
        merged = merge_manifests(NodeReader(writer.get), writer, roots, Rules())
        assert not merged.conflict_count, "no record was changed on both branches"
        commit = Commit(
            parents=parents,
            root=bytes(merged.root),
            author="benchmark",
            time_us=ours.time_us,
            message="merge",
            generation=1 + max(ours.generation, theirs.generation),
        )
        commit_id = writer.put(encode_commit(commit))
        writer.commit([RefMove(f"branches/{into}", parents[0], commit_id)])
    return commit_id.hex()
