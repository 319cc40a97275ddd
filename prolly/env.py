"""The door to the outer world: clock, randomness, user, temporary files.

Everything that is not a function of its arguments comes in through an
:class:`Environment`, so that a test can hand in its own. Nothing here knows of stores.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

__all__ = ["SYSTEM", "Environment", "temporary_file"]


def _system_user() -> str:
    """Return ``PROLLY_AUTHOR``, else the login name, else ``unknown``."""
    named = os.environ.get("PROLLY_AUTHOR", "")
    if named:
        return named
    # Only writers need it, and starting a program is felt.
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@dataclass(frozen=True)
class Environment:
    """Clock, randomness and user, each a function that a test may replace.

    ``now_us()`` is microseconds since 1970-01-01 UTC. ``random_bytes(n)`` returns n
    unpredictable bytes. ``user()`` is the default author of a commit.
    """

    now_us: Callable[[], int] = lambda: time.time_ns() // 1000
    random_bytes: Callable[[int], bytes] = os.urandom
    user: Callable[[], str] = _system_user


def temporary_file(directory: str | None = None) -> BinaryIO:
    """Return a new file without a name, gone with its last reference.

    It lies in ``directory``, else where TMPDIR says. Raises OSError.
    """
    # Few programs ever spill, and this import is a tenth of the time to start.
    import tempfile

    return tempfile.TemporaryFile(dir=directory)


SYSTEM = Environment()
