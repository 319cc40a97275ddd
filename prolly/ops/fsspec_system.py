"""Files and blobs of a version through fsspec: ``prolly://DATASET/PATH``.

    fsspec.open("prolly://model/weights.bin", repo="shop", rev="main~1")

``repo`` is the directory of a repository, or an open one; ``rev`` a revision, the
current branch by default. It is read-only: writing goes through a transaction. At the
top stand the datasets that hold files or are blobs; a dataset's name may itself hold
slashes. Only fsspec, or who wants it, imports this module: it needs that extra.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from prolly.errors import KeyNotFound, ReadOnly, Unsupported
from prolly.maps import BlobReader, Files
from prolly.repo import Repository, Snapshot, find_repository, shared_repository

try:
    from fsspec.spec import AbstractFileSystem
except ImportError as error:
    raise Unsupported(
        "file systems through fsspec need the package fsspec",
        code="missing-extra",
        hint="`pip install 'prolly[fsspec]'` installs it.",
        extra="fsspec",
    ) from error


class ProllyFileSystem(AbstractFileSystem):  # type: ignore[misc]  # It has no types.
    """One version of a repository as a read-only file system of fsspec.

    An absent file raises FileNotFoundError, as fsspec wants it; what writes raises
    ReadOnly. A repository that it opened itself is closed when nothing reads from it.
    """

    protocol = "prolly"
    root_marker = ""
    # A revision that is a name moves on; each file system is the version of its making.
    cachable = False

    def __init__(
        self,
        repo: str | os.PathLike[str] | Repository = ".",
        rev: str = "HEAD",
        **options: Any,
    ) -> None:
        super().__init__(repo=repo, rev=rev, **options)
        if not isinstance(repo, Repository):
            repo = shared_repository(find_repository(repo))
        self._snapshot: Snapshot = repo.at(rev)
        self._kinds = {
            name: info.kind
            for name, info in self._snapshot.datasets.items()
            if info.kind in ("blob", "files")
        }

    def _split(self, path: str) -> tuple[str, str]:
        """Return the dataset and the path in it, which is empty for the dataset.

        The longest name counts; FileNotFoundError when none leads to the path.
        """
        bare = self._strip_protocol(path)
        parts = bare.split("/")
        for end in range(len(parts), 0, -1):
            name = "/".join(parts[:end])
            if name in self._kinds:
                return name, "/".join(parts[end:])
        raise FileNotFoundError(bare)

    def _files(self, path: str) -> tuple[str, Files, str]:
        """Return dataset, its files, and the path in it."""
        name, inner = self._split(path)
        if self._kinds[name] != "files":
            raise FileNotFoundError(self._strip_protocol(path))
        return name, self._snapshot.files(name), inner

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        """Return name, size and type; of a file also mode, mtime_ns and content."""
        bare = self._strip_protocol(path)
        if self._is_above(bare):
            return _directory(bare)
        name, inner = self._split(bare)
        if self._kinds[name] == "blob":
            if inner:
                raise FileNotFoundError(bare)
            with self._snapshot.blob(name) as blob:
                content = self._snapshot.datasets[name].root
                return _file(bare, blob.size, content=str(content))
        files = self._snapshot.files(name)
        if not inner or files.is_directory(inner):
            return _directory(bare)
        entry = files.get(inner)
        if entry is None:
            raise FileNotFoundError(bare)
        return _file(
            bare,
            entry.size,
            mode=entry.mode,
            mtime_ns=entry.mtime_ns,
            content=str(entry.content),
        )

    def _is_above(self, bare: str) -> bool:
        """Tell whether a path leads to datasets without being one."""
        above = any(name.startswith(f"{bare}/") for name in self._kinds)
        return not bare or (above and bare not in self._kinds)

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        """Return what stands in a directory: names, or with ``detail`` as ``info``."""
        bare = self._strip_protocol(path)
        names = sorted(self._names_in(bare))
        return [self.info(name) for name in names] if detail else names

    def _names_in(self, bare: str) -> Iterator[str]:
        if self._is_above(bare):
            start = f"{bare}/" if bare else ""
            below = (name for name in self._kinds if name.startswith(start))
            yield from {start + name[len(start) :].split("/")[0] for name in below}
            return
        if self.info(bare)["type"] == "file":
            yield bare
            return
        _, files, inner = self._files(bare)
        for name in files.names(inner):
            yield f"{bare}/{name.removesuffix('/')}"

    def _open(self, path: str, mode: str = "rb", **options: Any) -> BlobReader:
        if mode != "rb":
            raise self._read_only()
        name, inner = self._split(path)
        try:
            if self._kinds[name] == "blob" and not inner:
                return self._snapshot.blob(name)
            _, files, inner = self._files(path)
            if not inner:
                raise IsADirectoryError(path)
            return files.open(inner)
        except KeyNotFound:
            raise FileNotFoundError(path) from None

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **_: Any
    ) -> bytes:
        """Return the bytes of a file, or a range; negative ones count from the end."""
        with self._open(path) as file:
            low, high, _step = slice(start, end).indices(file.size)
            file.seek(low)
            return file.read(max(high - low, 0))

    def _read_only(self, *_: Any, **__: Any) -> ReadOnly:
        return ReadOnly(
            "a version cannot be written through fsspec",
            code="read-only",
            hint="Write in a transaction: tx.files(DATASET).open(PATH, 'wb').",
        )

    def _refuse(self, *_: Any, **__: Any) -> None:
        """Refuse with ReadOnly."""
        raise self._read_only()

    mkdir = makedirs = rmdir = _rm = rm = cp_file = pipe_file = put_file = _refuse


def _directory(name: str) -> dict[str, Any]:
    return {"name": name, "size": 0, "type": "directory"}


def _file(name: str, size: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "size": size, "type": "file", **more}
