"""How many conflicts are open, by dataset, and what to do about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .output import Output, plural, visible

if TYPE_CHECKING:
    from prolly import MergeResult, Repository


def all_settled(verb: str) -> str:
    """Return the line that says so; ``verb`` is the command that ends what waits."""
    return f"all settled; next: prolly {verb} --continue"


def told_conflicts(
    counts: Mapping[str, int], *, tried: bool = False, verb: str = "merge"
) -> list[str]:
    """Return lines on open conflicts, and what to do next; none without any.

    ``verb`` is the command that ends what waits.
    """
    if not counts:
        return []
    total = sum(counts.values())
    width = max(len(visible(name)) for name in counts)
    lines = [f"{plural(total, 'conflict')}:"]
    lines += [f"  {visible(name):{width}}  {n:,}" for name, n in counts.items()]
    if not tried:
        lines.append(
            "next: prolly conflicts, prolly resolve DATASET [KEY] --ours|--theirs|-i,"
        )
        lines.append(f"then prolly {verb} --continue; or prolly {verb} --abort")
    return lines


def report_settled(
    output: Output, repository: Repository, number: int, done: str
) -> None:
    """Say how many conflicts were settled, ``done`` to people, and what is left."""
    left = repository.conflicts().counts()
    if output.json:
        told = {"settled": number, "conflicts": sum(left.values())}
        output.document({**told, "datasets": left})
        return
    output.say(done)
    verb = repository.working_area().state.verb
    for line in told_conflicts(left, verb=verb) or [all_settled(verb)]:
        output.say(line)


def conflict_names(
    repository: Repository, result: MergeResult
) -> Iterator[dict[str, Any]]:
    """Yield what a merge that was only tried leaves in conflict, as JSON."""
    from .record_text import key_parts

    datasets = repository.at("HEAD", local=False).datasets
    kinds = {name: info.kind for name, info in datasets.items()}
    for one in result.conflicts.of():
        if one.kind == "schema":
            parts = one.key
        else:
            parts = key_parts(one.key, typed=kinds.get(one.dataset) == "table")
        told = {"dataset": one.dataset, "key": parts, "kind": one.kind}
        yield {**told, "fields": list(one.fields)}


def conflict_name_line(told: Mapping[str, Any]) -> str:
    """Return one of them as a line: the dataset, the key, and the fields that clash."""
    from .output import json_text

    key = told["key"]
    if isinstance(key, list):
        bare = len(key) == 1 and isinstance(key[0], (str, int))
        key = str(key[0]) if bare else json_text(key) if key else ""
    words = f"  {told['dataset']} {key}".rstrip()
    fields = f": {', '.join(told['fields'])}" if told["fields"] else ""
    kind = "" if told["kind"] == "record" else f" ({told['kind']})"
    return visible(words + kind + fields)
