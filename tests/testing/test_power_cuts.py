"""A power cut at any instant takes nothing that was acknowledged."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prolly.chunks import local_repack, local_writer
from prolly.chunks.local_directory import StoreDirectory
from prolly.chunks.local_journal import LocalJournal
from prolly.chunks.pack_builder import PackBuilder
from prolly.testing.power_cuts import (
    Cut,
    Life,
    Told,
    iter_cuts,
    require_survivor,
)


def survivors(directory: Path, cuts: list[Cut]) -> int:
    """Look at what each power cut leaves; return how many there were."""
    for number, cut in enumerate(cuts):
        place = directory / f"cut{number}"
        try:
            require_survivor(cut, place, random.Random(number))
        except Exception as error:
            error.add_note(f"behind {cut.event} events, in {place}")
            raise
    return len(cuts)


def cuts_of(
    directory: Path, seed: int, steps: int, share: float, **options: Any
) -> list[Cut]:
    """Return what power cuts leave at a share of the instants of a life."""
    (directory / "disk").mkdir()
    kills, draws = options.get("kills", 0.0), options.get("draws", 2)
    events = Life(directory / "disk", seed).run(steps, kills=kills)
    return list(iter_cuts(events, random.Random(seed), share=share, draws=draws))


def test_a_repository_in_the_making(tmp_path: Path) -> None:
    """It is there, or it can be made."""
    assert survivors(tmp_path, cuts_of(tmp_path, 1, 0, 1.0, draws=60)) > 40


def test_acknowledged_commits_outlive_power_cuts(tmp_path: Path) -> None:
    """Journal, packs, the index and collections, at some instants of a life."""
    assert survivors(tmp_path, cuts_of(tmp_path, 4, 25, 0.08)) > 20


def test_they_outlive_killed_processes_before(tmp_path: Path) -> None:
    """What a killed process left unsynced takes nothing with it that came later."""
    cuts = cuts_of(tmp_path, 5, 25, 0.08, kills=0.4)
    assert survivors(tmp_path, cuts) > 20


@pytest.mark.long
@pytest.mark.parametrize("kills", [0.0, 0.4])
@pytest.mark.parametrize("seed", range(100, 106))
def test_many_lives(tmp_path: Path, seed: int, kills: float) -> None:
    """At every instant of lives of all kinds."""
    assert survivors(tmp_path, cuts_of(tmp_path, seed, 30, 1.0, kills=kills)) > 100


def nothing(*_arguments: Any) -> None:
    """Do nothing, where something is waited for."""


def unsynced(seal: Callable[..., None]) -> Callable[..., None]:
    return lambda pack, durable: seal(pack, durable=False)


FORGOTTEN = [
    ("names of packs", [(local_writer, "sync_names"), (local_repack, "sync_names")]),
    ("bytes of packs", [(PackBuilder, "seal")]),
    ("the journal", [(LocalJournal, "_sync")]),
    ("names of a new store", [(StoreDirectory, "make_durable")]),
]


@pytest.mark.parametrize(("what", "owners"), FORGOTTEN)
def test_a_sync_that_is_forgotten_is_found(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    owners: list[tuple[Any, str]],
) -> None:
    """Without any one of the waits some power cut takes what was acknowledged."""
    for owner, name in owners:
        is_seal = name == "seal"
        instead = unsynced(getattr(owner, name)) if is_seal else nothing
        monkeypatch.setattr(owner, name, instead)
    cuts = cuts_of(tmp_path, 1, 12, 0.4)
    monkeypatch.undo()
    with pytest.raises(Exception, match=r"lost|faults|no repository|damaged"):
        survivors(tmp_path, cuts)


def test_what_may_be_found_is_what_was_told(tmp_path: Path) -> None:
    """At first all may be; then what was told last, or what comes next."""
    cuts = cuts_of(tmp_path, 2, 10, 1.0, kills=0.5)
    assert cuts[0].allowed == []
    told: list[Told] = []
    for cut in cuts:
        assert len(cut.allowed) <= 2
        assert not told or cut.allowed[0] in told
        told = cut.allowed
    assert len({one.sequence for cut in cuts for one in cut.allowed}) > 5
