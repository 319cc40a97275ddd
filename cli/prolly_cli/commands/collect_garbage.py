"""``prolly gc``: remove what nothing leads to, and give its space back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import plural
from ..sizes import size_text

if TYPE_CHECKING:
    from prolly.ops import GcReport

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

# More than a lifetime is a slip of the finger, and dates end somewhere.
DURATION_DIGITS_MAX = 6


def parse_duration(text: str) -> timedelta:
    """Return the duration that ``14d``, ``12h``, ``30m``, ``90s``, ``2w``, ``0`` spell.

    Raises Invalid ``duration``.
    """
    from prolly import Invalid

    found = re.fullmatch(r"(\d+)([smhdw])", text.strip(), re.ASCII)
    if found is not None and len(found[1]) > DURATION_DIGITS_MAX:
        found = None
    if found is None and text.strip() != "0":
        raise Invalid(
            f"{text!r} is no duration",
            code="duration",
            hint="Write a number and a unit: 14d, 12h, 30m, 90s, 2w; or 0.",
        )
    return (
        timedelta() if found is None else timedelta(**{UNITS[found[2]]: int(found[1])})
    )


@click.command("gc", cls=Verb)
@click.option("--dry-run", is_flag=True, help="Say what would go; change nothing.")
@click.option(
    "--prune-older",
    metavar="DURATION",
    help="Keep what became unreachable within DURATION (14d, 12h, 0); 14d by default.",
)
@click.pass_obj
def command(invocation: Invocation, dry_run: bool, prune_older: str | None) -> None:
    """Remove what no branch, tag or recent reflog entry leads to.

    Small chunks move into packs, packs that are more than a quarter waste are written
    anew, and the space goes back to the file system. Others may read and write
    meanwhile.
    """
    grace = None if prune_older is None else parse_duration(prune_older)
    repository = invocation.repository(writable=not dry_run)
    report = repository.gc(grace=grace, dry_run=dry_run)
    output = invocation.output
    if output.json:
        output.document(report_json(report))
        return
    verb = "would remove" if dry_run else "removed"
    gone = f"{plural(report.removed, 'chunk')} ({size_text(report.removed_bytes)})"
    young = f", {report.kept:,} of them unreachable but young" if report.kept else ""
    kept = plural(report.reachable + report.kept, "chunk")
    output.say(f"{verb} {gone}, kept {kept}{young}")
    if not dry_run:
        before, after = report.disk_bytes_before, report.disk_bytes
        output.say(f"on the disk: {size_text(before)} before, {size_text(after)} now")


def report_json(report: GcReport) -> dict[str, object]:
    """Return a report as JSON shows it."""
    from dataclasses import asdict

    return asdict(report)
