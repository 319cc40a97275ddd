"""``prolly demo``: a tour on real data, in a directory of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ..command_group import Verb
from ..invocation import Invocation


@click.command("demo", cls=Verb)
@click.option("--keep", metavar="DIR", help="Work in the new directory DIR, and stay.")
@click.pass_obj
def command(invocation: Invocation, keep: str | None) -> int:
    """Show in two minutes what prolly does, on the airports of Iceland.

    Every command is shown as it would be typed, with its output. It happens in a
    temporary directory, which is removed at the end. On a terminal Enter goes on.
    """
    from ..tour import Tour

    if invocation.output.json:
        raise click.UsageError("a tour is for people: leave --json out")
    with _place(invocation, keep) as place:
        return Tour(invocation.output, place).run(kept=keep)


@contextmanager
def _place(invocation: Invocation, keep: str | None) -> Iterator[Path]:
    """Give an empty directory: the one to keep, or one that is gone afterwards."""
    if keep is None:
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="prolly-demo-") as name:
            yield Path(name)
        return
    place = Path(invocation.path(keep))
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        from prolly import AlreadyExists

        raise AlreadyExists(
            f"{keep} is there already",
            code="demo-exists",
            hint="Name a directory that is new or empty.",
            path=str(place),
        )
    place.mkdir(parents=True, exist_ok=True)
    yield place
