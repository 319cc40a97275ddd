"""Paths of a files dataset: what may be one, and that two do not exclude each other.

A path is text in UTF-8 with ``/`` between its parts, as ``weights/layer-1.bin``. It is
never absolute, and no part is empty, ``.`` or ``..``, so that it stays in whatever
directory it is checked out into.
"""

from __future__ import annotations

from prolly.codec import shown
from prolly.errors import Corrupt, Invalid

# A path is a key of at most 1,024 bytes, of which spelling it takes two. A round number
# below that leaves room for a longer spelling.
FILE_PATH_BYTES_MAX = 1000
# The longest name that common file systems hold.
FILE_NAME_BYTES_MAX = 255

# A checkout must never write into the store that it reads, whatever the file system
# thinks of capital letters.
STORE_NAME = ".prolly"

_HINT = (
    f"Use a relative path of at most {FILE_PATH_BYTES_MAX} bytes with '/' between its "
    "parts, without '.', '..' and '.prolly'."
)


def check_path(path: object) -> str:
    """Return the path; Invalid ``file-path`` when it cannot be one."""
    fault = path_fault(path)
    if fault:
        raise Invalid(
            f"not a path of a file: {shown(path)} {fault}",
            code="file-path",
            hint=_HINT,
        )
    assert isinstance(path, str)
    return path


def check_stored_path(path: object) -> str:
    """Return a path that was read from a tree; Corrupt ``file-path`` for others."""
    fault = path_fault(path)
    if fault:
        raise Corrupt(
            f"not a path of a file: {path!r} {fault}",
            code="file-path",
            hint="A dataset from elsewhere holds it; do not trust its source.",
        )
    assert isinstance(path, str)
    return path


def check_directory(path: str) -> str:
    """Return a directory as a prefix of paths: empty, or ended by one slash."""
    bare = path.removesuffix("/")
    return f"{check_path(bare)}/" if bare else ""


def path_fault(path: object) -> str:
    """Return what keeps something from being a path; empty when nothing does."""
    if type(path) is not str:
        return "is not text"
    try:
        raw = path.encode()
    except UnicodeEncodeError:
        return "is not UTF-8"
    if not raw or len(raw) > FILE_PATH_BYTES_MAX:
        return "is empty or too long"
    if b"\0" in raw:
        return "contains a NUL"
    for part in raw.split(b"/"):
        if not part:
            return "begins or ends with '/', or has two in a row"
        if part in (b".", b".."):
            return f"has a part {part.decode()!r}"
        if len(part) > FILE_NAME_BYTES_MAX:
            return f"has a name of more than {FILE_NAME_BYTES_MAX} bytes"
        if part.lower() == STORE_NAME.encode():
            return f"has a part {STORE_NAME!r}, the place of a store"
    return ""


def parents(path: str) -> list[str]:
    """Return the directories that a path lies in, without slashes at their ends."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def path_clash(path: str, other: str) -> Invalid:
    """Return (not raise) the error for a path that is to be file and directory."""
    return Invalid(
        f"{path!r} and {other!r} cannot both be files",
        code="file-path-clash",
        hint="Delete or rename one of them first.",
        path=path,
        other=other,
    )
