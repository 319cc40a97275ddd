"""Merges and the like that wait, as commands speak of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .output import Output, plural, visible

if TYPE_CHECKING:
    from prolly import Invalid, Repository
    from prolly.codec import WorkingState


def note_open(
    output: Output, repository: Repository, dataset: str, key: tuple[Any, str]
) -> None:
    """Say that a record which was edited is still in conflict, and how to keep it.

    ``key`` is the key and how it was typed.
    """
    if not repository.working_area().state.is_merging:
        return
    if (dataset, key[0]) in repository.conflicts():
        words = visible(f"{dataset} {key[1]}")
        output.note(
            f"it is in conflict still; `prolly resolve {words} --keep` settles it as "
            "it stands"
        )


def note_open_files(output: Output, repository: Repository, dataset: str) -> None:
    """Say that files of a dataset that was edited are in conflict still."""
    if not repository.working_area().state.is_merging:
        return
    count = repository.conflicts().counts().get(dataset, 0)
    if count:
        output.note(
            f"in conflict still: {count:,} of {visible(dataset)}; `prolly resolve "
            f"{visible(dataset)} PATH --keep` settles one as it stands"
        )


def refuse_open(repository: Repository) -> None:
    """Refuse to commit at the end of a command while conflicts are open.

    Raises Conflicted ``open-conflicts``; for before anything is written.
    """
    from prolly import Conflicted

    state = repository.working_area().state
    if not state.is_merging:
        return
    count = sum(repository.conflicts().counts().values())
    if count:
        raise Conflicted(
            f"{what_waits(state)} waits with {plural(count, 'open conflict')}: nothing "
            "can be committed",
            code="open-conflicts",
            hint="Leave -m out, or settle them first: `prolly conflicts` lists them. "
            f"`prolly {state.verb} --abort` gives it up.",
            count=count,
        )


def what_waits(state: WorkingState) -> str:
    """Return what waits to be committed, as ``a rebase``; empty for nothing."""
    from prolly.repo import WAITING

    return WAITING[state.verb] if state.is_merging else ""


def require_waiting(repository: Repository, verb: str | None = None) -> None:
    """Refuse to go on where nothing waits, and name the branches where something does.

    With a verb also where another command began it: each ends its own. Raises Invalid
    ``no-merge``, ``merging``.
    """
    from prolly import Invalid

    state = repository.working_area().state
    if not state.is_merging:
        raise _nothing_waits(repository, verb)
    if verb not in (None, state.verb):
        raise Invalid(
            f"what waits on branch {repository.head!r} is {what_waits(state)}",
            code="merging",
            hint=f"`prolly {state.verb} --continue` ends it, `prolly {state.verb} "
            "--abort` gives it up.",
            branch=repository.head,
        )


def note_unpushed(output: Output, repository: Repository, branch: str) -> None:
    """Say that what waits on a branch was not pushed with it."""
    if branch not in repository.branches:
        return
    state = repository.working_area(branch).state
    if state.is_merging:
        output.note(
            f"{what_waits(state)} waits on {visible(branch)}, and is not pushed before "
            f"`prolly {state.verb} --continue` has ended it"
        )


def _nothing_waits(repository: Repository, verb: str | None) -> Invalid:
    """Return an error with the branches on which something waits in its hint."""
    from prolly import Invalid
    from prolly.repo import WAITING

    what = WAITING["merge" if verb is None else verb].partition(" ")[2]
    hint = f"Begin one: `prolly {verb or 'merge'} REV`."
    if verb == "apply":
        hint = "Begin: `prolly apply PATCH`."
    names = [
        name
        for name in repository.branches
        if repository.working_area(name).state.is_merging
    ]
    if names:
        first = what_waits(repository.working_area(names[0]).state).capitalize()
        shown = [visible(name) for name in names]
        others = f" (others on {', '.join(shown[1:])})" if shown[1:] else ""
        hint = f"{first} waits on {shown[0]}{others}: `prolly switch {shown[0]}`."
    return Invalid(
        f"no {what} waits on branch {repository.head!r}",
        code="no-merge",
        hint=hint,
        branch=repository.head,
    )
