"""The files of one dataset that are open for writing, each with one content.

A path has one content under edit however many file objects stand on it, so what one of
them writes the others see, and none undoes another. Like the files of a system, an open
file goes with its file: after a rename it is kept under the new path, after a deletion
nowhere. What a path points at in the tree is for the owner of this object to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prolly.codec import Reference

from .blob_edit import BlobEdit


class OpenFile:
    """One content under edit; ``path`` is ``None`` once its file is deleted."""

    def __init__(self, path: str, edit: BlobEdit) -> None:
        self.path: str | None = path
        self.edit = edit
        self.users = 0


class OpenFiles:
    """Open files by path, and those whose file is gone. Not thread-safe."""

    def __init__(self) -> None:
        self._by_path: dict[str, OpenFile] = {}
        self._gone: list[OpenFile] = []

    def __contains__(self, path: str) -> bool:
        return path in self._by_path

    def holds(self, file: OpenFile) -> bool:
        """Tell whether a file is still open and has a path."""
        return file.path is not None and self._by_path.get(file.path) is file

    def paths(self) -> Iterator[str]:
        """Yield the paths that are open."""
        return iter(list(self._by_path))

    def files(self) -> list[OpenFile]:
        """Return the open files that have a path, in the order they were opened."""
        return list(self._by_path.values())

    def use(self, path: str, make_edit: Callable[[], BlobEdit]) -> OpenFile:
        """Return the open file of a path, made at its first use; ``give_back`` it."""
        file = self._by_path.get(path)
        if file is None:
            file = self._by_path[path] = OpenFile(path, make_edit())
        file.users += 1
        return file

    def give_back(self, file: OpenFile) -> None:
        """End one use; the last one ends the edit. After ``close`` it does nothing."""
        file.users -= 1
        if file.users:
            return
        file.edit.close()
        if file.path is None:
            if file in self._gone:
                self._gone.remove(file)
        elif self.holds(file):
            del self._by_path[file.path]

    def start_over(self, path: str, reference: Reference) -> None:
        """Give a file that is open another content: its path was written anew."""
        if path in self._by_path:
            self._by_path[path].edit.start_over(reference)

    def forget(self, path: str) -> None:
        """Take the path from an open file, if there is one: its file is deleted."""
        file = self._by_path.pop(path, None)
        if file is not None:
            file.path = None
            self._gone.append(file)

    def rename(self, old: str, new: str) -> None:
        """Let an open file, if there is one, follow its file; ``new`` is not open."""
        file = self._by_path.pop(old, None)
        if file is not None:
            file.path = new
            self._by_path[new] = file

    def close(self) -> None:
        """End all edits; twice is fine."""
        for file in (*self._by_path.values(), *self._gone):
            file.edit.close()
        self._by_path.clear()
        self._gone.clear()
