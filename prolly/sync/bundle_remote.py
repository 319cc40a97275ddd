"""The line to a bundle: a file that answers as a replica does that only gives."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from prolly.codec.bundle import BundleHead
from prolly.codec.wire import FrameType
from prolly.codec.wire_messages import Message, encode_chunk_frames, encode_message
from prolly.repo import Repository

from .bundle_file import BundleFile
from .remote import Remote
from .service import Service

BUNDLE_SCHEME = "bundle:"


class BundleRemote(Remote):
    """A line to the bundle in a file, which is opened by the first ``ask``.

    Raises then as :class:`BundleFile` does.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        super().__init__(BUNDLE_SCHEME + self.path)
        self._bundle: BundleFile | None = None
        self._service: BundleService | None = None

    @property
    def head(self) -> BundleHead:
        """What the bundle says of itself."""
        return self._opened().head

    def prerequisites(self) -> Sequence[bytes]:
        return self.head.prerequisites

    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        if self._service is None:
            self._service = BundleService(self._opened())
        return self._service.answer(request, body)

    def _opened(self) -> BundleFile:
        if self._bundle is None:
            self._bundle = BundleFile(self.path)
        return self._bundle

    def close(self) -> None:
        bundle, self._bundle, self._service = self._bundle, None, None
        if bundle is not None:
            bundle.close()


class BundleService(Service):
    """Answers for a bundle: read-only, and with nodes alone.

    What edits are made against may be among the prerequisites, which are not there.
    """

    def __init__(self, bundle: BundleFile) -> None:
        super().__init__(Repository(bundle, None), read_only=True)

    def _fetched(
        self, wants: Sequence[bytes], known: Sequence[bytes], message: Message
    ) -> Iterator[bytes]:
        commit_ids = self._lacking(wants, known)
        yield encode_message(FrameType.REPLY, {"commits": len(commit_ids)})
        chunks = map(self._storage.reader.read_chunk, commit_ids)
        yield from encode_chunk_frames(FrameType.COMMITS, chunks)

    def _lacking(self, wants: Iterable[bytes], known: Iterable[bytes]) -> list[bytes]:
        """Return what is wanted and lies here but below ``known``, children first.

        A walk ends where the bundle does: at its prerequisites.
        """
        below = self._closure(known)
        found = self._closure(wants)
        order = {one: found[one] for one in found if one not in below}
        return sorted(order, key=lambda one: (-order[one], one))

    def _closure(self, tips: Iterable[bytes]) -> dict[bytes, int]:
        """Return the commits of the bundle that some reach, with their generations."""
        found: dict[bytes, int] = {}
        front = list(tips)
        while front:
            commit_id = front.pop()
            if commit_id in found:
                continue
            (is_here,) = self._store.contains_many([commit_id])
            if is_here:
                commit = self._storage.commits.read(commit_id)
                found[commit_id] = commit.generation
                front += commit.parents
        return found
