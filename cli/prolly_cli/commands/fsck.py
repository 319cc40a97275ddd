"""``prolly fsck``: is everything there, and is it what it should be?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..jobs_option import jobs_option
from ..output import plural, visible
from ..sizes import size_text

if TYPE_CHECKING:
    from prolly.ops import Fault

# The exit code of an answer that is "no".
FAULTS_FOUND = 1


@click.command("fsck", cls=Verb)
@click.option(
    "--full",
    is_flag=True,
    help="Check every byte: hashes, spelling, order, cuts, records, indexes.",
)
@jobs_option("So many processes look at the leaves of trees, with --full.")
@click.pass_obj
def command(invocation: Invocation, full: bool, jobs: int) -> int:
    """Check the repository and print every fault; exit 1 when there is one.

    By default: everything that refs lead to is there and of the right kind, and packs
    and index agree.
    """
    check = invocation.repository().fsck(full=full, jobs=jobs)
    output = invocation.output
    hints: dict[str, None] = {}
    for fault in check:
        hints[fault.hint] = None
        if output.json:
            output.document(fault_json(fault))
        else:
            place = fault.address.hex() if fault.address else fault.ref or fault.path
            where = f"{place}: " if place else ""
            output.line(visible(f"{fault.code}: {where}{fault.detail}"))
    if output.json:
        counts = {"objects": check.objects, "bytes": check.bytes}
        absent = {"absent": check.absent} if check.is_partial else {}
        output.document({**counts, **absent, "faults": check.faults})
    else:
        looked_at = f"{plural(check.objects, 'chunk')} ({size_text(check.bytes)})"
        output.say(f"looked at {looked_at}, found {plural(check.faults, 'fault')}")
        if check.is_partial:
            output.note(
                f"a partial replica: links to {plural(check.absent, 'chunk')} that it "
                "leaves out are no faults"
            )
        if full:
            from prolly import Corrupt

            # That is what runs.
            hints.pop(Corrupt.default_hint, None)
        for hint in filter(None, hints):
            output.note(f"hint: {visible(hint)}")
    return FAULTS_FOUND if check.faults else 0


def fault_json(fault: Fault) -> dict[str, Any]:
    """Return a fault as JSON shows it; what is not known is left out."""
    facts = {
        "address": fault.address.hex() if fault.address else None,
        "ref": fault.ref,
        "path": fault.path,
        "hint": fault.hint or None,
    }
    known = {name: fact for name, fact in facts.items() if fact is not None}
    return {"fault": fault.code, **known, "detail": fault.detail}
