"""Addresses of other replicas, as they are typed on a command line."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from .invocation import Invocation

if TYPE_CHECKING:
    from prolly import Repository

# One letter is a drive elsewhere, never a scheme.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
BUNDLE = "bundle:"


def full_address(invocation: Invocation, typed: str) -> str:
    """Return an address that means the same from any directory.

    A path, and that of a bundle, is seen from ``-C`` and made absolute.
    """
    if typed.startswith(BUNDLE):
        return BUNDLE + _absolute(invocation, typed.removeprefix(BUNDLE))
    if _SCHEME.match(typed):
        return typed
    return _absolute(invocation, typed)


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


def _absolute(invocation: Invocation, path: str) -> str:
    return os.path.abspath(invocation.path(path))
