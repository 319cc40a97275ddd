"""``prolly resolve``: say what is to stand where a merge left conflicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..conflict_counts import report_settled
from ..invocation import Invocation
from ..output import plural
from ..waiting_merges import require_waiting

if TYPE_CHECKING:
    from prolly import Conflicts

TAKEN = ("ours", "theirs", "base", "keep")


@click.command("resolve", cls=Verb)
@click.argument("dataset", required=False)
@click.argument("key", required=False)
@click.option("--ours", is_flag=True, help="What this branch has stands.")
@click.option("--theirs", is_flag=True, help="What is merged into it stands.")
@click.option("--base", is_flag=True, help="What both began with stands.")
@click.option("--keep", is_flag=True, help="What stands now stays, edited or not.")
@click.option("--value", metavar="JSON", help="This value, or row, stands.")
@click.option("--delete", is_flag=True, help="Nothing stands: the record goes.")
@click.option(
    "-i", "--interactive", "ask", is_flag=True, help="Ask about one after the other."
)
@click.option(
    "--field",
    "fields",
    metavar="F",
    multiple=True,
    help="Only this column, of KEY or of every row in which it clashes; the others "
    "stay open. Repeatable.",
)
@click.option(
    "--schema",
    "what",
    metavar="WHAT",
    help="Not a record, but this part of the dataset's description.",
)
@click.option("--all", "all_", is_flag=True, help="The conflicts of all datasets.")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    dataset: str | None,
    key: str | None,
    **how: Any,
) -> None:
    """Settle the conflict of KEY in DATASET, or without KEY all that are open there.

    VALUE is JSON, in a table an object of columns: what it leaves out stays. A conflict
    may be settled again until --continue, of the command that waits, commits it.
    """
    how["side"] = side_of(how)
    check_words(dataset, key, how)
    repository = invocation.repository(writable=True)
    require_waiting(repository)
    conflicts = repository.conflicts()
    if dataset is not None:
        from ..conflict_values import require_conflicts

        require_conflicts(repository, conflicts, dataset)
    if how["ask"]:
        number = ask(invocation, conflicts, dataset, key)
    else:
        number = settle(invocation, conflicts, (dataset, key), how)
    done = f"settled {plural(number, 'conflict')}"
    report_settled(invocation.output, repository, number, done)


def side_of(how: dict[str, Any]) -> str | None:
    """Return the side that an option names, if any; refuse several."""
    sides = [side for side in TAKEN if how[side]]
    if len(sides) > 1:
        raise click.UsageError(f"--{sides[0]} and --{sides[1]} exclude each other")
    return sides[0] if sides else None


def check_words(dataset: str | None, key: str | None, how: dict[str, Any]) -> None:
    """Refuse what does not go together."""
    ways = (how["side"] is not None, how["value"] is not None, how["delete"])
    words = (*TAKEN, "value", "delete")
    given = [f"--{one}" for one in words if how[one] not in (None, False)]
    given += ["-i"] if how["ask"] else []
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} exclude each other")
    if sum((*ways, how["ask"])) != 1:
        raise click.UsageError(
            "one of --ours, --theirs, --base, --keep, --value, --delete and -i is "
            "wanted"
        )
    if (dataset is None) != how["all_"] and not (how["ask"] and dataset is None):
        raise click.UsageError("name a DATASET, or --all for all of them")
    if how["what"] is not None and (key is not None or dataset is None):
        raise click.UsageError("--schema WHAT stands with a DATASET, without KEY")
    if how["what"] is not None and how["side"] is None:
        raise click.UsageError("--schema takes --ours, --theirs, --base or --keep")
    if how["fields"] and how["side"] is None:
        raise click.UsageError(
            "--field stands with --ours, --theirs, --base or --keep; --value names its "
            "columns itself"
        )
    if how["fields"] and (dataset is None or how["what"] is not None):
        raise click.UsageError("--field names a column of a DATASET, and no --schema")
    if how["all_"] and (how["value"] is not None or how["delete"]):
        raise click.UsageError("--value and --delete want a DATASET and KEY")


def ask(
    invocation: Invocation, conflicts: Conflicts, dataset: str | None, key: str | None
) -> int:
    """Ask about each open conflict, or those of a key; return how many were settled."""
    from ..conflict_dialog import Dialog
    from ..conflict_values import missing_conflict, typed_key

    if invocation.output.json:
        raise click.UsageError("-i asks a person, and --json is for programs")
    asked: Any = conflicts.of(dataset)
    counts = conflicts.counts()
    total = sum(counts.values()) if dataset is None else counts.get(dataset, 0)
    if dataset is not None and key is not None:
        parsed = typed_key(conflicts, dataset, key)
        asked = conflicts.find(dataset, parsed)
        if not asked:
            raise missing_conflict(dataset, key)
        total = len(asked)
    dialog = Dialog(conflicts, invocation.output)
    dialog.run(asked, total)
    return dialog.settled


def settle(
    invocation: Invocation,
    conflicts: Conflicts,
    place: tuple[str | None, str | None],
    how: dict[str, Any],
) -> int:
    """Settle as the options say; return how many conflicts."""
    from prolly.repo import Take

    from ..conflict_values import typed_key

    dataset, key = place
    if how["what"] is not None and dataset is not None:
        invocation.no_way_back()
        conflicts.settle_schema(dataset, how["what"], how["side"])
        return 1
    # The one conflict of a blob has no key to name it by.
    is_blob = dataset is not None and key is None and conflicts.is_blob(dataset)
    if dataset is None or (key is None and how["side"] is not None and not is_blob):
        invocation.no_way_back()
        number = conflicts.settle_all(how["side"], dataset, fields=how["fields"])
        if not number:
            invocation.output.note(
                "nothing was open; name a KEY to settle anew what is settled"
            )
        return number
    parsed = () if key is None else typed_key(conflicts, dataset, key)
    if key is None and not is_blob:
        raise click.UsageError("--value and --delete want a KEY")
    if how["side"] is not None:
        invocation.no_way_back()
        take = Take(dataset, parsed, how["side"], tuple(how["fields"]))
        conflicts.settle_each([take])
        return 1
    value = value_of(conflicts, place, parsed, how)
    invocation.no_way_back()
    left = conflicts.settle_value(dataset, parsed, value)
    if left:
        invocation.output.note(
            f"not named, so as it stands now: {', '.join(left)} (--field NAME with "
            "--ours, --theirs or --base settles one anew)"
        )
    return 1


def value_of(
    conflicts: Conflicts, place: tuple[Any, Any], parsed: Any, how: dict[str, Any]
) -> Any:
    """Return the value that --value spells; ABSENT for --delete."""
    from prolly import ABSENT

    from ..conflict_values import missing_conflict, typed_value

    if how["delete"]:
        return ABSENT
    found = conflicts.find(place[0], parsed)
    if not found:
        raise missing_conflict(*place)
    return typed_value(conflicts, found[0], how["value"])
