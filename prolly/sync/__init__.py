"""What one replica lacks of another, and how it gets there.

This room knows what is said between two replicas, checks all that comes before any name
points at it, and moves refs last. It must not know of servers, the command line, or
which line carries its bytes: a line is a :class:`Remote`.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from .bundle_file import BundleFile
    from .bundle_remote import BundleRemote
    from .cloning import clone
    from .connection import connect, scheme_of
    from .fetching import REPLY_BYTES_MAX, Fetch
    from .filling import Filler
    from .http_remote import HttpRemote, is_loopback
    from .landing import Landing
    from .path_remote import PathRemote
    from .pin_list import Pin, pins, unpin
    from .pinning import fetch_range, pin
    from .remote import Remote, Traffic
    from .replication import fetch, pull, push, url_of
    from .report import Progress, RefChange, SyncProgress, SyncReport, no_progress
    from .scope import Wish
    from .service import Permit, Service
    from .stream_remote import StreamRemote

__all__ = [
    "REPLY_BYTES_MAX",
    "BundleFile",
    "BundleRemote",
    "Fetch",
    "Filler",
    "HttpRemote",
    "Landing",
    "PathRemote",
    "Permit",
    "Pin",
    "Progress",
    "RefChange",
    "Remote",
    "Service",
    "StreamRemote",
    "SyncProgress",
    "SyncReport",
    "Traffic",
    "Wish",
    "clone",
    "connect",
    "fetch",
    "fetch_range",
    "is_loopback",
    "no_progress",
    "pin",
    "pins",
    "pull",
    "push",
    "scheme_of",
    "unpin",
    "url_of",
]

# Where each name is defined. Modules are loaded when a name of theirs is asked for.
_MODULES = {
    "bundle_file": ("BundleFile",),
    "bundle_remote": ("BundleRemote",),
    "cloning": ("clone",),
    "connection": ("connect", "scheme_of"),
    "fetching": ("REPLY_BYTES_MAX", "Fetch"),
    "filling": ("Filler",),
    "http_remote": ("HttpRemote", "is_loopback"),
    "landing": ("Landing",),
    "path_remote": ("PathRemote",),
    "pin_list": ("Pin", "pins", "unpin"),
    "pinning": ("fetch_range", "pin"),
    "remote": ("Remote", "Traffic"),
    "replication": ("fetch", "pull", "push", "url_of"),
    "report": (
        "Progress",
        "RefChange",
        "SyncProgress",
        "SyncReport",
        "no_progress",
    ),
    "scope": ("Wish",),
    "service": ("Permit", "Service"),
    "stream_remote": ("StreamRemote",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> _typing.Any:
    """Load the module that defines a name of this room, and keep the name."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value
