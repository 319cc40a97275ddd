"""Folding the newest commits of a branch into one."""

from __future__ import annotations

from collections.abc import Sequence

from prolly.chunks import ChunkWriter
from prolly.codec import Address, Commit, encode_commit
from prolly.errors import Invalid

from .branch_moves import check_words, first_line
from .merge_request import Attended
from .replay_commits import branch_line, require_ancestor
from .storage import Storage
from .working_area import WorkingArea

# Lines of the message made where none is given: what a person looks through, and far
# within what a commit's message holds.
SQUASH_LINES_MAX = 100


def squash(storage: Storage, asked: Attended, since: bytes) -> Address:
    """Make one commit of those that a branch has since one of its ancestors.

    Its parent is ``since`` and its data that of the newest. What is uncommitted stays
    so. Where the commits take each other back there is none: the branch stands at
    ``since`` then. Raises Invalid ``not-an-ancestor``, ``nothing-to-squash``,
    ``merging``, NotFound ``no-such-branch``, Stale as ``WorkingArea.move_head``.
    """
    check_words(message=asked.message, author=asked.author)
    area = WorkingArea(storage, asked.branch)

    def make(head: bytes, writer: ChunkWriter) -> tuple[bytes, bytes]:
        asked.before_moving()
        return _fold(storage, asked, (since, head), writer)

    return area.rewrite_head(make, keep=True, why=f"squash: {since.hex()[:12]}")


def _fold(
    storage: Storage, asked: Attended, ends: tuple[bytes, bytes], writer: ChunkWriter
) -> tuple[bytes, bytes]:
    """Write the commit; return its id and its manifest."""
    since, head = ends
    commits = storage.commits
    require_ancestor(commits, since, head, asked.branch)
    if since == head:
        raise Invalid(
            f"branch {asked.branch!r} has no commit since {since.hex()[:12]}",
            code="nothing-to-squash",
            hint="Name an earlier commit: `prolly log` lists them.",
        )
    root = commits.read(head).root
    if commits.read(since).root == root:
        return since, root
    line = [commits.read(one) for one in branch_line(commits, head, since)]
    environment = storage.environment
    authors = {one.author for one in line}
    author = authors.pop() if len(authors) == 1 else environment.user()
    commit = Commit(
        parents=(since,),
        root=root,
        author=author if asked.author is None else asked.author,
        time_us=environment.now_us(),
        message=_joined(line) if asked.message is None else asked.message,
        generation=commits.read(since).generation + 1,
    )
    return writer.put(encode_commit(commit)), root


def _joined(line: Sequence[Commit]) -> str:
    """Return the first lines of messages, the oldest first, under a heading."""
    if len(line) == 1:
        return line[0].message
    told = [f"- {first_line(one.message)}" for one in line[:SQUASH_LINES_MAX]]
    if len(line) > SQUASH_LINES_MAX:
        told.append(f"- and {len(line) - SQUASH_LINES_MAX:,} more")
    return "\n".join([f"{len(line):,} commits in one", "", *told])
