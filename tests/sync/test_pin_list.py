"""What is pinned, as it is listed and ended; and the doors to it in Python."""

from __future__ import annotations

import datetime
import random
from pathlib import Path

import pytest

import prolly
from prolly.errors import AlreadyExists, Invalid, NotFound, Stale
from prolly.sync import Pin


@pytest.fixture
def office(tmp_path: Path) -> prolly.Repository:
    """A repository with a map of many keys and a table."""
    repo = prolly.init(tmp_path / "office")
    with repo.transaction("main", message="first") as tx:
        rng = random.Random(7)
        tx.map("m").update({f"{rng.choice('abc')}{i}": i for i in range(900)})
        table = tx.table("t", key=["day", "n"])
        day = datetime.date(2026, 1, 31)
        table.load([{"day": day, "n": n} for n in range(50)])
    return repo


def test_pins_are_as_they_were_given(office: prolly.Repository, tmp_path: Path) -> None:
    """Text, whole parts and whole datasets come back as what made them."""
    assert not office.is_partial and office.pins is None
    with prolly.clone(tmp_path / "office", tmp_path / "part", lazy=True) as part:
        assert part.is_partial and part.pins == []
        day = datetime.date(2026, 1, 31)
        made = [Pin("m", "a"), Pin("m", "nul\0"), Pin("m", ("b1",)), Pin("t", (day,))]
        for pin in made:
            part.pin(*pin)
        assert part.pins is not None and set(part.pins) == set(made)
        part.pin("t")
        assert Pin("t") in part.pins
        part.unpin("m", "a")
        assert Pin("m", "a") not in part.pins and Pin("m", ("b1",)) in part.pins
        part.unpin("m")
        part.unpin("t", (day,))
        assert part.pins == [Pin("t")]
        for odd in (("m", None), ("t", (day,)), ("nothing", None)):
            with pytest.raises(NotFound) as caught:
                part.unpin(*odd)
            assert caught.value.code == "no-such-pin"
        assert list(part.fsck(full=True)) == []
    office.close()


def test_a_pin_follows_a_renamed_dataset(
    office: prolly.Repository, tmp_path: Path
) -> None:
    """It is listed and ended under the name of now."""
    with prolly.clone(tmp_path / "office", tmp_path / "part", datasets="m") as part:
        with part.transaction("main", message="renamed") as tx:
            tx.rename("m", "map")
        assert part.pins == [Pin("map")]
        part.unpin("map")
        assert part.pins == []
    office.close()


def test_places_are_given_as_paths(office: prolly.Repository, tmp_path: Path) -> None:
    """To clone, fetch, pull and push; what is neither is refused by name."""
    place = tmp_path / "office"
    with prolly.clone(place, tmp_path / "copy") as copy:
        assert copy.remotes["origin"] == str(place)
        copy.fetch(place)
        with copy.transaction("main", message="more") as tx:
            tx.map("m")["more"] = 1
        copy.push(place)
        assert copy.pull(place).merge.status == "up-to-date"
        for door in (copy.fetch, copy.push, copy.pull):
            with pytest.raises(Invalid) as caught:
                door(office)
            assert caught.value.code == "remote-url"
        with pytest.raises(Invalid):
            prolly.clone(office, tmp_path / "third")
        with pytest.raises(AlreadyExists):
            prolly.clone(place, tmp_path / "copy")
    office.close()


def test_bundles_have_doors(office: prolly.Repository, tmp_path: Path) -> None:
    """Made, checked and applied; one that would lose commits changes nothing."""
    copy = prolly.clone(tmp_path / "office", tmp_path / "copy")
    with office.transaction("main", message="news") as tx:
        tx.map("m")["news"] = 1
    made = office.create_bundle(tmp_path / "news", "main~1..main")
    assert made.commits == 1 and list(made.refs) == ["branches/main"]
    assert copy.verify_bundle(tmp_path / "news").missing == ()
    assert list(copy.apply_bundle(tmp_path / "news").updated) == ["branches/main"]
    assert copy.at("main").map("m")["news"] == 1
    assert office.create_bundle(tmp_path / "all", everything=True).prerequisites == ()
    with prolly.init(tmp_path / "empty") as empty:
        assert empty.verify_bundle(tmp_path / "news").missing
        with empty.transaction("main", message="own") as tx:
            tx.map("m")["own"] = 1
        with pytest.raises(Stale):
            empty.apply_bundle(tmp_path / "all")
    copy.close()
    office.close()


def test_only_open_repositories_are_served(office: prolly.Repository) -> None:
    """A path, a list or nothing is refused before a port is taken."""
    for odd in ("office", [office], {}, {"a": "office"}, None):
        with pytest.raises(Invalid) as caught:
            prolly.serve(odd)
        assert caught.value.code == "value-type"
    office.close()
