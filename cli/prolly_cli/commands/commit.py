"""``prolly commit``: the working state becomes a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..commit_words import made_line
from ..invocation import Invocation
from ..replays import go_on
from ..versions import counts_json, counts_lines

if TYPE_CHECKING:
    from prolly import Repository


@click.command("commit", cls=Verb)
@click.option("-m", "--message", metavar="MSG", help="What changed, and why.")
@click.option(
    "--dataset",
    "datasets",
    metavar="D",
    multiple=True,
    help="Only what changed in D; the rest stays uncommitted. Repeatable.",
)
@click.option(
    "--key",
    "keys",
    metavar="KEY",
    multiple=True,
    help="Only the record under KEY of the one --dataset. Repeatable.",
)
@click.option(
    "--amend", is_flag=True, help="Take the place of the newest commit, message kept."
)
@click.pass_obj
def command(
    invocation: Invocation,
    message: str | None,
    datasets: tuple[str, ...],
    keys: tuple[str, ...],
    amend: bool,
) -> int:
    """Make the working state of the current branch a commit.

    It ends a merge that waits, or a step of a rebase or the like, all conflicts
    settled; its message is then by default that of the merge.

    The author is PROLLY_AUTHOR, else the setting user.name, else the login name.
    """
    from prolly import Invalid, Stale

    if keys and len(datasets) != 1:
        raise click.UsageError("--key wants exactly one --dataset")
    repository = invocation.repository(writable=True)
    state = repository.working_area().state
    merges = state.is_merging
    if state.replay is not None and not (datasets or keys or amend):
        return go_on(invocation, repository, {"message": message})
    if message is None and not amend and not merges:
        raise click.UsageError("-m MSG is missing")
    only = selection(repository, datasets, keys)
    invocation.no_way_back()
    try:
        commit_id = repository.working_area().commit(
            message, only=only, amend=amend, why="merge" if merges else "commit"
        )
    except Stale as error:
        error.hint = (
            "`prolly diff HEAD` shows both sides; `prolly reset --hard` drops what is "
            "uncommitted here, to be done again on the new commit."
        )
        raise
    except Invalid as error:
        waiting = error.facts.get("table")
        if error.code == "reference-missing" and only is not None and waiting:
            error.hint = (
                f"What it refers to may wait uncommitted: commit {waiting!r} with it, "
                f"`--dataset {waiting}`, or before it."
            )
        raise
    parent = repository.commit_of(commit_id).parents[0]
    is_cut = repository.is_cut(commit_id)
    counts = {} if is_cut else repository.diff_counts(parent, commit_id)
    output = invocation.output
    if output.json:
        output.document({"commit": str(commit_id), "datasets": counts_json(counts)})
        return 0
    output.say(made_line(output, repository, commit_id))
    for line in counts_lines(counts, output):
        output.say(f"  {line}")
    return 0


def selection(
    repository: Repository, datasets: tuple[str, ...], keys: tuple[str, ...]
) -> dict[str, list[Any] | None] | None:
    """Return what the options choose; ``None`` for everything."""
    from prolly.repo import require_committed

    from ..typed_words import parse_key

    if not keys:
        return dict.fromkeys(datasets) or None
    name = datasets[0]
    snapshot = repository.at_working(local=False)
    require_committed(repository.storage, snapshot.root, {name: None})
    if name not in snapshot.datasets:
        # Its records may have gone with it, or it was renamed: say so, not "no such".
        snapshot = repository.at("HEAD", local=False)
    records = snapshot.dataset(name)
    return {name: [parse_key(key, records) for key in keys]}
