"""The server: repositories for other replicas, over HTTP and over a pair of pipes.

It answers what ``sync`` asks, streams both ways, and holds the limits on what a
stranger may take of the machine. It must not know what travels: that is the service's.
Without tokens only the loopback addresses are served.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from .asgi_application import application
    from .pipe_serving import serve_pipes
    from .repository_pipes import serve_repository_pipes
    from .serving import Server, serve

__all__ = [
    "Server",
    "application",
    "serve",
    "serve_pipes",
    "serve_repository_pipes",
]

# Where each name is defined; modules are loaded when a name of theirs is asked for.
_MODULES = {
    "asgi_application": ("application",),
    "pipe_serving": ("serve_pipes",),
    "repository_pipes": ("serve_repository_pipes",),
    "serving": ("Server", "serve"),
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
