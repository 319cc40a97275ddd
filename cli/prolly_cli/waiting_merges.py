"""Merges that wait, as commands beside `merge` and `resolve` speak of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .output import Output, plural, visible

if TYPE_CHECKING:
    from prolly import Invalid, Repository


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

    if not repository.working_area().state.is_merging:
        return
    count = sum(repository.conflicts().counts().values())
    if count:
        raise Conflicted(
            f"a merge waits with {plural(count, 'open conflict')}: nothing can be "
            "committed",
            code="open-conflicts",
            hint="Leave -m out, or settle them first: `prolly conflicts` lists them. "
            "`prolly merge --abort` gives the merge up.",
            count=count,
        )


def require_waiting(repository: Repository) -> None:
    """Refuse to end a merge where none waits, and name the branches where one does.

    Raises Invalid ``no-merge``.
    """
    from prolly import Invalid

    try:
        repository.conflicts().require_merge()
    except Invalid as error:
        raise _elsewhere(repository, error) from None


def _elsewhere(repository: Repository, error: Invalid) -> Invalid:
    """Return an error with the branches on which a merge waits in its hint."""
    names = [
        name
        for name in repository.branches
        if repository.working_area(name).state.is_merging
    ]
    if names and error.code == "no-merge":
        shown = ", ".join(map(visible, names))
        error.hint = f"One waits on {shown}: `prolly switch {visible(names[0])}`."
    return error
