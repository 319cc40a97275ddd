"""Commits by id: decoded once, kept while they are of use."""

from __future__ import annotations

from collections.abc import Callable, Collection

from prolly.codec import Commit, decode_commit
from prolly.errors import NotFound

# A decoded commit takes about 1 kB; walking back and forth over this many is free.
COMMITS_CACHED_MAX = 4096


class Commits:
    """Reads commits through ``get_chunk``; safe for use from several threads.

    ``shallow`` tells the commits of which parents were left out on purpose; it is asked
    only when a commit is absent.
    """

    def __init__(
        self,
        get_chunk: Callable[[bytes], bytes | None],
        shallow: Callable[[], Collection[bytes]] = tuple,
    ) -> None:
        self._get_chunk = get_chunk
        self._shallow = shallow
        self._known: dict[bytes, Commit] = {}

    def get(self, commit_id: bytes) -> Commit | None:
        """Return the commit, or ``None`` when it is absent; Corrupt when it is none."""
        commit = self._known.get(commit_id)
        if commit is None:
            chunk = self._get_chunk(commit_id)
            if chunk is None:
                return None
            commit = decode_commit(chunk)
            self.keep(commit_id, commit)
        return commit

    def keep(self, commit_id: bytes, commit: Commit) -> None:
        """Remember a commit under its id, as after it was stored."""
        if len(self._known) >= COMMITS_CACHED_MAX:
            self._known.clear()
        self._known[commit_id] = commit

    def read(self, commit_id: bytes) -> Commit:
        """Return the commit; Corrupt when it is none.

        NotFound ``no-such-commit`` when it is absent, ``shallow`` when it was left out.
        """
        commit = self.get(commit_id)
        if commit is None:
            for child in self._shallow():
                found = self.get(child)
                if found is not None and commit_id in found.parents:
                    raise cut_off(child)
            raise NotFound(
                f"commit {commit_id.hex()} is not here",
                code="no-such-commit",
                hint="Fetch it from a replica that has it.",
                address=commit_id,
            )
        return commit

    def parents(self, commit_id: bytes) -> tuple[bytes, ...]:
        """Return the parents of a commit that are here: all, but where it is shallow.

        NotFound as ``read``, for the commit as for a parent that is merely absent.
        """
        parents = self.read(commit_id).parents
        if None not in map(self.get, parents):
            return parents
        if commit_id not in self._shallow():
            for parent in parents:
                self.read(parent)
        return tuple([one for one in parents if self.get(one) is not None])

    def is_cut(self, commit_id: bytes) -> bool:
        """Tell whether some parent of a commit was left out."""
        return len(self.parents(commit_id)) < len(self.read(commit_id).parents)


def cut_off(commit_id: bytes) -> NotFound:
    """Return (not raise) the error for what lies behind the end of a cut history."""
    return NotFound(
        f"history ends at commit {commit_id.hex()[:12]} here: what was before it was "
        "not fetched",
        code="shallow",
        hint="`prolly fetch --unshallow` brings all of it, `prolly fetch --depth N` "
        "more of it.",
        address=commit_id,
    )
