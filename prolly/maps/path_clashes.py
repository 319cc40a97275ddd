"""Paths of a files dataset that exclude each other, looked for in what is new.

One path cannot be a file and the directory of another. Whoever writes a file by its
path is told at once (``MutableFiles``); what comes from two versions, each right by
itself, is looked at here. Cost: that of the difference.
"""

from __future__ import annotations

from collections.abc import Iterator

from prolly.codec import key
from prolly.tree import NodeReader, diff, get, iter_batches

from .files_paths import parents, path_clash


def iter_path_clashes(
    reader: NodeReader, old: bytes | None, new: bytes
) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield (key, keys of files that it excludes) of files that ``old`` has not.

    Roots of record trees; without ``old`` all files are new. Of the files below a
    directory only the first is told. Raises Corrupt for what is no path.
    """
    for encoded, stood, stands in diff(reader, old, new):
        if stood is not None or stands is None:
            continue
        path = key.decode_key(encoded)
        above = [key.encode((one,)) for one in parents(path)]
        clashing = [one for one in above if get(reader, new, one) is not None]
        start, stop = key.prefix_range(f"{path}/")
        for below, _ in iter_batches(reader, new, start=start, stop=stop):
            clashing += below[:1]
            break
        if clashing:
            yield encoded, clashing


def require_no_path_clash(reader: NodeReader, old: bytes | None, new: bytes) -> None:
    """Raise Invalid ``file-path-clash`` where a new file excludes another."""
    for encoded, clashing in iter_path_clashes(reader, old, new):
        raise path_clash(key.decode_key(encoded), key.decode_key(clashing[0]))
