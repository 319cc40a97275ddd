"""``prolly serve``: this repository for other replicas, over HTTP."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import click

from ..command_group import Verb
from ..invocation import Invocation

# A signal is noticed between two waits, on every system.
WAIT_SECONDS = 0.5


@click.command("serve", cls=Verb)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="HOST",
    help="The address to listen on: one of this machine alone.",
)
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="The port to listen on; by default a free one.",
)
@click.option("--read-only", is_flag=True, help="Refuse what others push.")
@click.pass_obj
def command(invocation: Invocation, host: str, port: int, read_only: bool) -> None:
    """Serve the repository over HTTP until Ctrl-C, and print its address.

    Others clone, fetch and pull from that address, and push to it. Whoever can connect
    may do so, hence it is an address of this machine alone. SIGTERM ends it as well.
    """
    import prolly

    try:
        repository = invocation.repository(writable=not read_only)
    except prolly.ReadOnly as error:
        raise prolly.ReadOnly(
            error.message,
            code=error.code,
            hint="Check the permissions; `--read-only` serves it as it is.",
        ) from error
    output = invocation.output
    with (
        _stopped_by_signals() as stopped,
        prolly.serve(repository, host, port, read_only=read_only) as server,
    ):
        if output.json:
            output.document({"url": server.url, "host": host, "port": server.port})
        else:
            output.line(server.url)
        output.flush()
        output.note(f"prolly clone {server.url}; Ctrl-C ends this")
        while not stopped.wait(WAIT_SECONDS):
            pass
        output.note("stopping; what is under way may end")


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    """Give what is set by Ctrl-C and by being asked to end: that is no failure here."""
    stopped = Event()
    names = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(name, lambda *_: stopped.set()) for name in names]
    try:
        yield stopped
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)
