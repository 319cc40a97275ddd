"""Addresses of other replicas, as they are typed on a command line."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from prolly.codec import shown
from prolly.errors import Invalid

from .invocation import Invocation

if TYPE_CHECKING:
    from prolly import Repository

# One letter is a drive elsewhere, never a scheme.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
# Who types this means a URL, never a path that begins so.
_MISTYPED = re.compile(r"(https?|ssh):", re.IGNORECASE)
BUNDLE = "bundle:"


def full_address(invocation: Invocation, typed: str) -> str:
    """Return an address that means the same from any directory.

    A path, and that of a bundle, is seen from ``-C`` and made absolute. Raises Invalid
    ``remote-url`` for no path at all, and for a URL that lacks a slash.
    """
    from prolly.sync import scheme_of

    is_bundle = typed.startswith(BUNDLE)
    path = typed.removeprefix(BUNDLE) if is_bundle else typed
    if not path or (_MISTYPED.match(typed) and not scheme_of(typed)):
        raise _no_address(typed)
    if is_bundle:
        return BUNDLE + _absolute(invocation, path)
    return typed if scheme_of(typed) else _absolute(invocation, typed)


def remote_name(invocation: Invocation, repository: Repository, typed: str) -> str:
    """Return the name of a remote as it is, and an address as it is from anywhere."""
    is_address = _SCHEME.match(typed) or os.sep in typed or typed in (".", "..")
    if typed in repository.remotes or not is_address:
        return typed
    return full_address(invocation, typed)


def directory_name(typed: str) -> str:
    """Return the directory that a clone of an address goes to: its last part."""
    path = typed
    if typed.startswith(BUNDLE):
        path = os.path.splitext(typed.removeprefix(BUNDLE))[0]
    elif _SCHEME.match(typed):
        path = unquote(urlsplit(typed).path)
    name = os.path.basename(os.path.normpath(path)) if path.strip("/") else ""
    return name if name not in ("", ".", "..") else "repository"


def _no_address(typed: str) -> Invalid:
    return Invalid(
        f"{shown(typed)} is no address of a replica",
        code="remote-url",
        hint="Give a path, file://, http://, https://, ssh:// or bundle:FILE.",
        url=typed,
    )


def _absolute(invocation: Invocation, path: str) -> str:
    return os.path.abspath(invocation.path(path))
