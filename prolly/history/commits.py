"""Commits by id: decoded once, kept while they are of use."""

from __future__ import annotations

from collections.abc import Callable

from prolly.codec import Commit, decode_commit
from prolly.errors import NotFound

# A decoded commit takes about 1 kB; walking back and forth over this many is free.
COMMITS_CACHED_MAX = 4096


class Commits:
    """Reads commits through ``get_chunk``; safe for use from several threads."""

    def __init__(self, get_chunk: Callable[[bytes], bytes | None]) -> None:
        self._get_chunk = get_chunk
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
        """Return the commit; NotFound when it is absent, Corrupt when it is none."""
        commit = self.get(commit_id)
        if commit is None:
            raise NotFound(
                f"commit {commit_id.hex()} is not here",
                code="no-such-commit",
                hint="Fetch it from a replica that has it.",
                address=commit_id,
            )
        return commit
