"""Hints for who types commands, where the library's own speak of Python.

The library does not know that a command called it. Whatever hint says a method, an
argument or a ``with`` block has its place here, under the code of its error.
"""

from __future__ import annotations

import json

from prolly import Error

_READERS = {
    "table": "`prolly get`, `scan` and `put` work on a table.",
    "map": "`prolly get`, `scan` and `put` work on a map.",
    "files": "`prolly files cat` and `checkout` read it, `files add` changes it.",
    "blob": "`prolly files cat` prints it.",
}

_HINTS = {
    "alter-loses-data": "Change the value first, or lose it with --force.",
    "closed": "Run the command again.",
    "fill-change": "A fill never changes; add another column.",
    "key-exists": "`--update` overwrites the rows that are there; without --append the "
    "table becomes equal to the files.",
    "no-such-file": "Paths are exact; `prolly files ls DATASET` lists them.",
    "repository-exists": "It is ready: `prolly status`; or choose another directory.",
}


def hint_of(error: Error) -> str:
    """Return what to do about an error, as commands and their options."""
    if error.code == "wrong-kind":
        return _READERS.get(error.facts.get("actual", ""), error.hint)
    if error.code == "read-only" and "path" in error.facts:
        # A store of this machine, which the library would have opened otherwise.
        return "Check the permissions of the directory."
    heir = error.facts.get("renamed")
    if error.code == "alter-loses-data" and heir is not None:
        was = f'"was": {json.dumps(error.facts["column"], ensure_ascii=False)}'
        return (
            f"Renamed? Say `{was}` in the column {heir!r} of the file; with --force "
            "the values are lost."
        )
    return _HINTS.get(error.code, error.hint)
