"""From an exception to what is printed and the exit code.

The text is ``prolly: error: <what> [<code>]`` and ``hint: <what to do>``; with
``--json`` an object ``{"error": {"code", "message", "hint", ...facts}}``.
"""

from __future__ import annotations

import errno
import os
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from prolly import errors

from .advice import hint_of
from .output import json_text, visible

# The class says what the caller should do next, and so does the exit code. The first
# class that fits counts.
EXIT_CODES: tuple[tuple[type[errors.Error], int], ...] = (
    (errors.Conflicted, 1),
    (errors.NotFound, 3),
    (errors.Stale, 4),
    (errors.Corrupt, 5),
    (errors.Denied, 6),
    (errors.ReadOnly, 6),
    (errors.StorageFailed, 7),
    (errors.RemoteFailed, 7),
    (errors.Error, 2),
)
OUR_FAULT = 70
# Beyond, Python refuses to spell an integer in digits: it does so at 4,300 of them.
_INT_BITS_MAX = 14_000
# A fact is a name, a key or a list of them; what is nested deeper is a wrong value.
_FACT_DEPTH_MAX = 20


@dataclass(frozen=True)
class Failure:
    """What to print on standard error, and the exit code."""

    text: str
    exit_code: int


def failure_of(error: BaseException, as_json: bool) -> Failure:
    """Return what an exception means to whoever runs the program."""
    if isinstance(error, click.ClickException):
        return _usage(error, as_json)
    if isinstance(error, OSError):
        error = _storage(error)
    if isinstance(error, MemoryError):
        error = _out_of_memory(error)
    if not isinstance(error, errors.Error):
        return _our_fault(error, as_json)
    exit_code = next(code for kind, code in EXIT_CODES if isinstance(error, kind))
    described = {
        **{name: _plain(fact) for name, fact in error.facts.items()},
        "code": error.code,
        "message": error.message,
        "hint": hint_of(error),
    }
    return Failure(_spelt(described, as_json), exit_code)


def _spelt(described: Mapping[str, Any], as_json: bool) -> str:
    if as_json:
        first = ("code", "message", "hint")
        facts = {name: one for name, one in described.items() if name not in first}
        return json_text({"error": {**{one: described[one] for one in first}, **facts}})
    text = f"prolly: error: {visible(described['message'])} [{described['code']}]"
    hint = described["hint"]
    return f"{text}\nhint: {visible(hint)}" if hint else text


def _usage(error: click.ClickException, as_json: bool) -> Failure:
    # Choices are listed one a line, which a message is not.
    message = " ".join(error.format_message().split()).rstrip(".")
    message = message[:1].lower() + message[1:]
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context is not None else "prolly"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        if not as_json:
            # The message is the help of a group that was called without a subcommand.
            return Failure(error.format_message(), 2)
        message = f"{path} wants a subcommand"
    described = {
        "code": "usage",
        "message": message,
        "hint": f"`{path} --help` shows how it is used.",
    }
    return Failure(_spelt(described, as_json), 2)


def _storage(error: OSError) -> errors.Error:
    """Return the error for an output, terminal or file system that failed."""
    place = f"{error.filename}: " if error.filename else ""
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return errors.StorageFailed(
        f"{place}{error.strerror or error}",
        code="disk-full" if is_full else "io-error",
        hint="Make room, then try again."
        if is_full
        else "Check the disk, the permissions and where the output goes.",
    )


def _out_of_memory(error: MemoryError) -> errors.Error:
    """Return the error for memory that the system, or a limit on it, did not give."""
    problem = f": {error}" if str(error) else ""
    return errors.LimitExceeded(
        f"there is not enough memory{problem}",
        code="out-of-memory",
        hint="Nothing was stored. Close other programs, raise the limit, or work on "
        "smaller files.",
    )


def _our_fault(error: BaseException, as_json: bool) -> Failure:
    path = _save_traceback(error)
    summary = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    described = {
        "code": "internal",
        "message": f"a fault of prolly itself: {summary}",
        "hint": f"please report it; the traceback is in {path}",
        "traceback": path,
    }
    return Failure(_spelt(described, as_json), OUR_FAULT)


def _save_traceback(error: BaseException) -> str:
    text = "".join(traceback.format_exception(error))
    try:
        descriptor, path = tempfile.mkstemp(prefix="prolly-fault-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError:
        return "(it could not be saved)"
    return path


def _plain(fact: object, depth: int = 0) -> Any:
    """Return a fact as JSON can say it."""
    if depth > _FACT_DEPTH_MAX:
        return "..."
    if isinstance(fact, int) and fact.bit_length() > _INT_BITS_MAX:
        return f"{fact:#x}"
    if fact is None or isinstance(fact, (bool, int, float, str)):
        return fact
    if isinstance(fact, (bytes, bytearray)):
        return bytes(fact).hex()
    if isinstance(fact, (list, tuple, set, frozenset)):
        return [_plain(one, depth + 1) for one in fact]
    if isinstance(fact, Mapping):
        return {str(name): _plain(one, depth + 1) for name, one in fact.items()}
    try:
        return str(fact)
    except (ValueError, RecursionError):
        return f"a value of type {type(fact).__name__}"
