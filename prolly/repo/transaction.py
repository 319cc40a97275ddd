"""A transaction: datasets edited in memory, then one commit, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from prolly.chunks import RefMove, RefNote
from prolly.codec import Address, Commit, Descriptor, encode_commit, shown
from prolly.datasets import VersionRoots
from prolly.errors import Invalid
from prolly.history import BRANCHES
from prolly.tree import NodeReader

from .branch_moves import check_words, first_line, retried
from .carry import Roots, carry_over
from .local_datasets import NO_LOCAL, LocalState, read_beside
from .reads import Reads, RecordedReads
from .storage import Storage
from .working_state import read_head
from .workspace import Workspace

if TYPE_CHECKING:
    from prolly.maps import BlobFile, MutableFiles, MutableOrderedMap
    from prolly.tables import MutableTable, Schema

    from .app import App

Isolation = Literal["snapshot", "serializable", "merge"]

# What is kept of a transaction's reads, by the name of its isolation.
ISOLATIONS: Mapping[str, type[Reads]] = {
    "snapshot": Reads,
    "serializable": RecordedReads,
    "merge": Reads,
}


class Transaction:
    """Edits on one branch that become one commit.

    Reads see the branch as it was at the beginning, plus the transaction's own writes,
    and beside it the local datasets of that instant: edits of these are stored in the
    same step, and are no part of the commit.
    When the branch has moved at commit, edits of other records are carried over to the
    new head; if somebody else changed a record that this transaction wrote, ``commit``
    raises Stale ``write-conflict`` and nothing is stored. That is the isolation
    ``snapshot``. With ``serializable`` the commit is also refused, Stale
    ``read-conflict``, when anything that was read is no longer so: then the outcome is
    that of running one transaction after the other, in the order of their commits. With
    ``merge`` records that both changed are merged, by the policies of their dataset and
    field by field in tables; Stale ``write-conflict`` only for what stays in conflict.

    As a context manager it commits at the end of the block, and discards everything
    when the block raises. Not thread-safe.
    """

    def __init__(
        self,
        storage: Storage,
        branch: str,
        *,
        message: str,
        author: str | None,
        isolation: Isolation = "snapshot",
        app: App | None = None,
    ) -> None:
        if not isinstance(isolation, str) or isolation not in ISOLATIONS:
            raise Invalid(
                f"there is no isolation {shown(isolation)}",
                code="isolation",
                hint=f"There is: {', '.join(ISOLATIONS)}.",
                isolation=isolation,
            )
        check_words(message=message, author=author)
        self._storage = storage
        self._branch = branch
        self._message = message
        self._author = author
        self._base, local = self._stand()
        self._reads = ISOLATIONS[isolation]()
        self._is_serial = isolation == "serializable"
        self._merges = isolation == "merge"
        self._app = app
        root = storage.commits.read(self._base).root
        self._workspace = Workspace(storage, root, self._reads, local=local.root)
        self._commit_id: bytes | None = None
        self._aborted = False

    @property
    def base(self) -> Address:
        """The commit that the transaction began on."""
        return Address(self._base)

    @property
    def commit_id(self) -> Address:
        """The commit made; the one begun on when nothing but local data changed.

        Invalid ``not-committed`` before the end.
        """
        if self._commit_id is None:
            raise Invalid(
                "the transaction has not been committed",
                code="not-committed",
                hint="Leave its `with` block first.",
            )
        return Address(self._commit_id)

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the datasets, in order."""
        return iter(self._workspace)

    def find(self, name: str) -> Descriptor | None:
        """Return the descriptor of a dataset, or ``None``."""
        return self._workspace.find(name)

    def map(self, name: str, *, local: bool | None = None) -> MutableOrderedMap:
        """Open a map, created on first use; Invalid ``wrong-kind`` if it is none.

        With ``local`` it is made one that stays out of commits and sync, as any dataset
        can be; Invalid ``local-mismatch`` if it is there otherwise. Where a pull
        brought one of that name, ``local`` says which is meant: by default the local.
        """
        return self._workspace.map(name, local=local)

    def table(
        self,
        name: str,
        key: str | Sequence[str] | None = None,
        schema: Schema | Mapping[str, Any] | None = None,
        *,
        local: bool | None = None,
    ) -> MutableTable:
        """Open a table, created on first use from its schema, or key and first rows.

        A schema may be given as the JSON object that ``Schema.from_json`` reads.
        """
        return self._workspace.table(name, key, schema, local=local)

    def blob(
        self, name: str, mode: str = "r+b", *, local: bool | None = None
    ) -> BlobFile:
        """Open a blob as a file, created empty on first use.

        ``mode``: ``r+b`` begins at the beginning, ``wb`` empties it first, ``ab``
        writes at the end. Several file objects of one blob see each other's writes.
        """
        return self._workspace.blob(name, mode, local=local)

    def files(self, name: str, *, local: bool | None = None) -> MutableFiles:
        """Open a files dataset, created on first use; Invalid ``wrong-kind``."""
        return self._workspace.files(name, local=local)

    def drop(self, name: str) -> None:
        """Remove a dataset; NotFound when there is none of the name."""
        self._workspace.drop(name)

    def rename(self, old: str, new: str) -> None:
        """Rename a dataset; AlreadyExists when the new name is taken."""
        self._workspace.rename(old, new)

    def set_policy(
        self,
        name: str,
        policy: str | None,
        *,
        prefix: Any = None,
        column: str | None = None,
    ) -> None:
        """Say how merges settle what both sides changed in a dataset.

        For all of it, for keys that begin with ``prefix``, for one ``column`` of a
        table, or for both; ``None`` removes the policy of just that scope. Raises
        NotFound ``no-such-dataset``; Invalid ``unknown-policy``, ``policy-scope``,
        ``policy-type``, ``unknown-column``.
        """
        self._workspace.set_policy(name, policy, prefix=prefix, column=column)

    def commit(self) -> Address:
        """Store everything as one durable commit and return its id.

        Without a change no commit is made; one of local datasets alone is stored beside
        the commit that stands. Raises Stale when it lost a race:
        ``write-conflict``, ``dataset-conflict``, ``read-conflict``, or again and again
        (``contended``); Invalid ``unique-violation``, ``reference-missing`` or
        ``reference-in-use``. The transaction is over then.
        """
        try:
            ours = self._workspace.write()
            if ours == self._workspace.base.root and not self._workspace.alters_local:
                self._commit_id = self._base
            else:
                self._commit_id = retried(
                    lambda: self._store_once(ours),
                    f"branch {self._branch!r}",
                    BRANCHES + self._branch,
                )
        finally:
            self._workspace.close()
        return Address(self._commit_id)

    def _stand(self) -> tuple[bytes, LocalState]:
        """Return where the branch and the local datasets stand at one instant."""
        storage, branch = self._storage, self._branch
        return read_beside(storage, lambda: read_head(storage, branch))

    def _store_once(self, ours: bytes) -> bytes:
        """Commit on the head as it is now, unless it moves meanwhile."""
        storage, workspace = self._storage, self._workspace
        writer = workspace.writer
        reader = NodeReader(writer.get, storage.reader.cache, writer.get_many)
        base = VersionRoots(workspace.base.root, workspace.local_base)
        if self._minds_local:
            head, local = self._stand()
        else:
            head, local = read_head(storage, self._branch), NO_LOCAL
        parent = storage.commits.read(head)
        self._reads.check(reader, base, VersionRoots(parent.root, local.root))
        root = parent.root
        if ours != base.shared:
            root = self._combined(reader, Roots(base.shared, ours, parent.root))
        author = storage.environment.user() if self._author is None else self._author
        beside = self._local_moves(local, author)
        is_commit = root != parent.root
        if not is_commit and not any(one.old != one.new for one in beside):
            return head
        now_us = storage.environment.now_us()
        note = RefNote(author, "commit: " + first_line(self._message), now_us)
        name = BRANCHES + self._branch
        if not is_commit:
            pins = [RefMove(name, head, head)] if self._is_serial else []
            writer.commit([*pins, *beside], note)
            return head
        from prolly.datasets import verify_references

        verify_references(reader, parent.root, root)
        commit = Commit(
            parents=(head,),
            root=root,
            author=author,
            time_us=now_us,
            message=self._message,
            generation=parent.generation + 1,
        )
        commit_id = writer.put(encode_commit(commit))
        writer.commit([RefMove(name, head, commit_id), *beside], note)
        storage.commits.keep(commit_id, commit)
        return commit_id

    @property
    def _minds_local(self) -> bool:
        """Tell whether it matters to the commit how the local datasets stand now."""
        return self._is_serial or self._workspace.alters_local

    def _local_moves(self, now: LocalState, author: str) -> list[RefMove]:
        """Return the move of the local datasets, or the check that they stay."""
        move = None
        if self._workspace.alters_local:
            from .local_change import local_move

            asked = self._storage, self._workspace, now
            move = local_move(*asked, self._combined, author)
        if move is None:
            return [now.stays] if self._is_serial else []
        return [move]

    def _combined(self, reader: NodeReader, roots: Roots) -> bytes:
        """Return the manifest with the change and what the branch has by now."""
        writer = self._workspace.writer
        if not self._merges:
            return carry_over(writer, reader, roots)
        from .merged_change import merge_over

        resolvers = {} if self._app is None else self._app.resolvers
        return merge_over(writer, reader, roots, resolvers)

    def abort(self) -> None:
        """Discard everything; twice is fine, and so is the end of a block behind it."""
        self._aborted = True
        self._workspace.close()

    def __enter__(self) -> Transaction:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self._commit_id is None and not self._aborted:
            self.commit()
        else:
            self.abort()
