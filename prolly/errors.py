"""What can go wrong: one tree of errors, told apart by what the caller should do.

    Error
    ├── NotFound          it is not there: a name, a revision, a dataset, a chunk
    │   └── KeyNotFound   a record is not there (also a KeyError)
    ├── AlreadyExists     it is there already
    ├── Conflicted        both sides changed it: settle the conflict, then go on
    ├── Stale             somebody else moved it first: read again, then retry
    ├── Corrupt           bytes are not what their name, length or form promises
    ├── Invalid           the input or the call is wrong: change it (also a ValueError)
    ├── Denied            the caller may not do this
    ├── ReadOnly          the store was opened, or stands, read-only
    ├── Unsupported       this build or format version cannot do it
    ├── LimitExceeded     a documented limit: make it smaller
    ├── StorageFailed     the disk or the environment failed
    └── RemoteFailed      the peer or the line failed

The class answers "what now?". The ``code`` says exactly what happened; codes are only
ever added. ``hint`` is one sentence on what to do. The remaining facts (address, key,
ref, expected, actual ...) are fields of the error, and together in ``facts``.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "AlreadyExists",
    "Conflicted",
    "Corrupt",
    "Denied",
    "Error",
    "Invalid",
    "KeyNotFound",
    "LimitExceeded",
    "NotFound",
    "ReadOnly",
    "RemoteFailed",
    "Stale",
    "StorageFailed",
    "Unsupported",
]


class Error(Exception):
    """The root of every error that this package raises on purpose."""

    default_code = "error"
    default_hint = ""

    def __init__(
        self, message: str, *, code: str = "", hint: str = "", **facts: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint or self.default_hint
        self.facts = facts

    def __str__(self) -> str:
        return self.message

    def __getattr__(self, name: str) -> Any:
        """Give a fact as a field; AttributeError when the error has no such fact."""
        facts = self.__dict__.get("facts", {})
        if name in facts:
            return facts[name]
        raise AttributeError(f"{type(self).__name__} has no field {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.code, self.hint, self.facts)


def _rebuild(
    kind: type[Error], message: str, code: str, hint: str, facts: dict[str, Any]
) -> Error:
    return kind(message, code=code, hint=hint, **facts)


class NotFound(Error):
    """A name, revision, dataset, record or chunk that is not there."""

    default_code = "not-found"


class KeyNotFound(NotFound, KeyError):
    """A record that is not there; also a ``KeyError``, as a mapping promises."""

    default_code = "key-not-found"


class AlreadyExists(Error):
    """Something of this name is there already."""

    default_code = "already-exists"


class Conflicted(Error):
    """Both sides changed the same thing, and nobody has settled it."""

    default_code = "conflicted"


class Stale(Error):
    """Somebody else moved it first; read again, then retry."""

    default_code = "stale"


class Corrupt(Error):
    """Bytes are not what their name, length or form promises."""

    default_code = "corrupt"
    # Whatever is damaged, the next question is what else is.
    default_hint = "Run `prolly fsck --full` to see what else is damaged."


class Invalid(Error, ValueError):
    """The input or the call is wrong."""

    default_code = "invalid"


class Denied(Error):
    """The caller may not do this."""

    default_code = "denied"


class ReadOnly(Error):
    """The store was opened read-only, or the medium is."""

    default_code = "read-only"


class Unsupported(Error):
    """This build, or this format version, cannot do it."""

    default_code = "unsupported"


class LimitExceeded(Error):
    """A documented limit was passed."""

    default_code = "limit-exceeded"


class StorageFailed(Error):
    """The disk, the file system or the environment failed."""

    default_code = "storage-failed"


class RemoteFailed(Error):
    """The peer or the line to it failed."""

    default_code = "remote-failed"
