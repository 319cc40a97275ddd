"""The LMDB environments that are open in this process, each once.

LMDB's locks belong to the process and the file, so to open a file twice, and to close
one of the two, would drop the locks of the other. An environment is known by the inode
of its data file: two paths to it are one, and a store that was removed and made again
is another.
"""

from __future__ import annotations

import os
import threading

import lmdb

from prolly.errors import Invalid

from .lmdb_environment import SharedEnvironment
from .lmdb_opening import DATA_FILE, EnvironmentOptions
from .lmdb_truncation import FileIdentity, identity_of
from .storage_failures import engine_mismatch

# The files of LMDB 0.9 and 1.0 cannot be read by each other.
ENGINE_VERSION = (0, 9)

_registry: dict[FileIdentity, SharedEnvironment] = {}
_registry_lock = threading.Lock()


def acquire_environment(
    directory: str,
    tables: tuple[bytes, ...],
    options: EnvironmentOptions,
    first_read: tuple[bytes, ...] = (),
) -> SharedEnvironment:
    """Return this process's environment in a directory; ``release`` it after use.

    ``first_read`` are the tables that whoever opens it reads at once. Raises NotFound
    ``no-store``, ReadOnly, StorageFailed, Corrupt ``index-damaged``, Unsupported
    ``engine-version``, and Invalid ``durability`` when it is open without ``sync``
    while this caller counts on it.
    """
    if lmdb.version()[:2] != ENGINE_VERSION:
        raise engine_mismatch(f"the engine here is {lmdb.version()}")
    with _registry_lock:
        environment = _find_open(directory)
        if environment is None:
            environment = SharedEnvironment(directory, tables, options, first_read)
            _registry[environment.identity] = environment
        elif options.sync and not environment.options.sync:
            raise Invalid(
                f"{directory} is open in this process with durability 'scratch'",
                code="durability",
                hint="Close the other store first.",
            )
        environment.users += 1
        return environment


def _find_open(directory: str) -> SharedEnvironment | None:
    try:
        return _registry.get(identity_of(os.path.join(directory, DATA_FILE)))
    except OSError:
        return None


def release_environment(environment: SharedEnvironment) -> None:
    """Give one use back; the last one closes the environment."""
    with _registry_lock:
        environment.users -= 1
        if environment.users:
            return
        for key in [key for key, open_ in _registry.items() if open_ is environment]:
            del _registry[key]
        environment.close()


def _close_for_fork() -> None:
    """Close every environment before a fork; each opens anew at its next use.

    A child that held the parent's could neither use it nor close it: its slots in the
    table of readers are the parent's, and closing would free them under its feet.
    """
    _registry_lock.acquire()
    for environment in _registry.values():
        environment.close_for_fork()


def _resume_in_parent() -> None:
    for environment in _registry.values():
        environment.resume_in_parent()
    _registry_lock.release()


def _resume_in_child() -> None:
    global _registry_lock
    _registry_lock = threading.Lock()
    for environment in _registry.values():
        environment.resume_in_child()


os.register_at_fork(
    before=_close_for_fork,
    after_in_parent=_resume_in_parent,
    after_in_child=_resume_in_child,
)
