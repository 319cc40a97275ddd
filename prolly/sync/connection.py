"""From a URL to a line: a registry by scheme.

    PATH, file://PATH            a repository on this machine
    http://..., https://...      a server
    ssh://[USER@]HOST[:PORT]/... a repository that can be reached by ssh
    bundle:FILE                  a file to read from

The modules of lines are loaded when a URL wants them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from urllib.parse import unquote, urlsplit

from prolly.errors import Invalid

from .remote import Remote

# Of two letters and more, so that a drive is no scheme.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(//)?")


def scheme_of(url: str) -> str:
    """Return the scheme of a URL in small letters; empty for a path."""
    match = _SCHEME.match(url)
    if match is None:
        return ""
    found = match[1].lower()
    # `bundle:` alone goes without slashes; a file may be called `a:b`.
    return found if match[2] or found in ("bundle", "file") else ""


def connect(url: str) -> Remote:
    """Return the line to a replica; nothing is sent yet.

    Raises Invalid ``remote-url`` for a scheme that there is not, and what the line of
    its scheme raises.
    """
    opened = _LINES.get(scheme_of(url)) if isinstance(url, str) else None
    if opened is None:
        raise Invalid(
            f"there is no line to {url!r}",
            code="remote-url",
            hint="Give a path, file://, http://, https://, ssh:// or bundle:FILE.",
            url=url,
        )
    return opened(url)


def _path(url: str) -> Remote:
    from .path_remote import PathRemote

    if not scheme_of(url):
        return PathRemote(url, url)
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path:
        raise Invalid(
            f"{url!r} names no path of this machine",
            code="remote-url",
            hint="As in file:///home/me/data, with three slashes.",
            url=url,
        )
    return PathRemote(unquote(parts.path), url)


def _late(module: str, name: str) -> Callable[[str], Remote]:
    def open_line(url: str) -> Remote:
        kind = getattr(import_module(f".{module}", __package__), name)
        line: Remote = kind(url)
        return line

    return open_line


def _bundle(url: str) -> Remote:
    kind = import_module(".bundle_remote", __package__).BundleRemote
    line: Remote = kind(url.split(":", 1)[1])
    return line


_LINES: dict[str, Callable[[str], Remote]] = {
    "": _path,
    "file": _path,
    "http": _late("http_remote", "HttpRemote"),
    "https": _late("http_remote", "HttpRemote"),
    "ssh": _late("stream_remote", "StreamRemote"),
    "bundle": _bundle,
}
