"""Run one command line from words to exit code.

0   done                                  4    lost a race for a ref
1   done, and the answer is no            5    corrupt data
2   wrong usage, invalid input            6    denied, read-only
3   no such repository, revision, ...     7    storage or remote failed
70  a fault of our own                    130  interrupted
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from .command_group import COMPLETION_VARIABLE
from .invocation import Invocation

INTERRUPTED = 130


def run(program: click.Group, arguments: Sequence[str]) -> int:
    """Run a command; print its answer or its error; return the exit code."""
    try:
        return _run(program, arguments)
    except BaseException as error:
        if not is_interruption(error):
            raise
        _complain("prolly: interrupted")
        return INTERRUPTED


def _run(program: click.Group, arguments: Sequence[str]) -> int:
    try:
        return _answer(program, arguments)
    except BrokenPipeError:
        # Whoever read has read enough: that is no error.
        _silence(sys.stdout)
        return 0
    except BaseException as error:
        if is_interruption(error):
            raise
        from .failures import failure_of

        failure = failure_of(error, _wants_json(arguments))
        _complain(failure.text)
        return failure.exit_code


def is_interruption(error: BaseException) -> bool:
    """Tell whether an exception is Ctrl-C, or what came of one.

    Python 3.11 makes a RuntimeError of whatever is raised while a class is put
    together, and most of a short run is just that. An error of ours counts as itself,
    whatever led to it.
    """
    from prolly.errors import Error

    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        if isinstance(found, KeyboardInterrupt):
            return True
        if isinstance(found, (Error, click.ClickException)):
            return False
        seen.add(id(found))
        found = found.__cause__ or found.__context__
    return False


def _answer(program: click.Group, arguments: Sequence[str]) -> int:
    """Complete a word for the shell, or run the command."""
    completing = os.environ.get(COMPLETION_VARIABLE)
    if completing:
        from .completion_words import complete

        return complete(program, completing)
    invocation = Invocation()
    try:
        return _invoke(program, list(arguments), invocation)
    finally:
        invocation.report_costs()
        invocation.close()


def _invoke(program: click.Group, words: list[str], invocation: Invocation) -> int:
    try:
        with program.make_context("prolly", words, obj=invocation) as context:
            answer = program.invoke(context)
            invocation.output.flush()
    except click.exceptions.Exit as ending:
        answer = ending.exit_code
    sys.stdout.flush()
    return answer if isinstance(answer, int) else 0


def _wants_json(arguments: Sequence[str]) -> bool:
    """Tell whether errors are JSON too, even those of a line that does not parse."""
    words = list(arguments)
    return (
        "--json" in words[: words.index("--")] if "--" in words else "--json" in words
    )


def _complain(text: str) -> None:
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _silence(stream: object) -> None:
    """Point a broken stream nowhere, or the interpreter complains at its end."""
    with suppress(OSError, ValueError, AttributeError):
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, stream.fileno())  # type: ignore[attr-defined]  # A file.
        os.close(descriptor)
