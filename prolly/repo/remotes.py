"""Other replicas by name: where each is. A mapping from name to URL.

The names stand in one setting of the store. Where the branches of a remote stood when
last seen is told by refs, ``remotes/NAME/BRANCH``; they go with the name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping

from prolly.chunks import RefMove, RefNote
from prolly.codec import cbor, shown
from prolly.errors import Corrupt, Error, Invalid, LimitExceeded, NotFound
from prolly.history import REMOTES, check_new_name

from .storage import Storage

REMOTES_SETTING = "remotes"

# With a branch's name behind it, it fits into the name of a ref.
REMOTE_NAME_BYTES_MAX = 100
# Browsers and servers take no longer ones.
REMOTE_URL_BYTES_MAX = 2048
# They stand in one setting, which is read whole.
REMOTES_MAX = 1000
# As many as one looks through; `prolly remote list` has all.
TOLD_NAMES = 10

_BUNDLE = "bundle:"


class Remotes(MutableMapping[str, str]):
    """The remotes of a repository, in order of their names.

    Setting one that is there changes its URL; deleting one deletes its tracking refs.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def __getitem__(self, name: str) -> str:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._all()))

    def __len__(self) -> int:
        return len(self._all())

    def __setitem__(self, name: str, url: str | os.PathLike[str]) -> None:
        """Name a replica; a path becomes one that is the same from everywhere.

        Raises Invalid ``ref-name`` and ``remote-url``, LimitExceeded
        ``too-many-remotes``.
        """
        check_remote_name(name)
        known = {**self._all(), name: full_url(url)}
        if len(known) > REMOTES_MAX:
            raise LimitExceeded(
                f"{len(known)} remotes, the limit is {REMOTES_MAX}",
                code="too-many-remotes",
                hint="Remove some: `prolly remote remove NAME`.",
            )
        self._write(known)

    def __delitem__(self, name: str) -> None:
        """Forget a replica, and where its branches stood; KeyError if it is unknown."""
        known = self._all()
        del known[name]
        self._write(known)
        store, environment = self._storage.store, self._storage.environment
        refs = store.iter_refs(f"{REMOTES}{name}/")
        moves = [RefMove(ref, address, None) for ref, address in refs]
        if moves:
            note = RefNote(environment.user(), "remote removed", environment.now_us())
            store.move_refs(moves, note)

    def require(self, name: str) -> str:
        """Return the URL of a remote; NotFound ``no-such-remote``, which names all."""
        known = self._all()
        if name in known:
            return known[name]
        listed = ", ".join(sorted(known)[:TOLD_NAMES])
        there = f"There is: {listed}." if known else "There is none yet."
        raise NotFound(
            f"there is no remote {shown(name)}",
            code="no-such-remote",
            hint=f"{there} `prolly remote add NAME URL` adds one.",
            name=name,
        )

    def _all(self) -> dict[str, str]:
        stored = self._storage.store.read_setting(REMOTES_SETTING)
        if stored is None:
            return {}
        try:
            known = cbor.decode(stored)
        except Error:
            known = None
        if type(known) is not dict or not {*map(type, known.values())} <= {str}:
            raise Corrupt("the names of remotes do not decode", code="store-entry")
        return known

    def _write(self, known: dict[str, str]) -> None:
        self._storage.store.write_setting(REMOTES_SETTING, cbor.encode(known))


def check_remote_name(name: str) -> None:
    """Raise Invalid ``ref-name`` for what cannot name a remote."""
    check_new_name(name)
    if "/" in name or len(name.encode()) > REMOTE_NAME_BYTES_MAX:
        raise Invalid(
            f"{shown(name)} cannot name a remote: it has '/', or is too long",
            code="ref-name",
            hint=f"Use up to {REMOTE_NAME_BYTES_MAX} letters, digits, '-', '_', '.'.",
            ref=name,
        )


def full_url(url: str | os.PathLike[str]) -> str:
    """Return a URL as it is, and a path, or that of a bundle, made absolute.

    Raises as ``check_remote_url``.
    """
    text = os.fspath(url) if isinstance(url, os.PathLike) else url
    check_remote_url(text)
    if text.startswith(_BUNDLE):
        text = _BUNDLE + os.path.abspath(text.removeprefix(_BUNDLE))
    elif "://" not in text and not text.startswith("file:"):
        text = os.path.abspath(text)
    check_remote_url(text)
    return text


def check_remote_url(url: object) -> None:
    """Raise Invalid ``remote-url`` for what is no text of a line."""
    is_text = isinstance(url, str) and url.strip() == url and url.isprintable()
    if not is_text or not 0 < len(str(url).encode()) <= REMOTE_URL_BYTES_MAX:
        raise Invalid(
            f"not the URL of a replica: {shown(url)}",
            code="remote-url",
            hint="A path, file://, http://, https://, ssh:// or bundle:FILE.",
        )
