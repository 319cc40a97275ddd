"""``gc``, ``fsck`` and ``stats``: what they print, and how they exit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prolly_cli.sizes import size_text

import prolly
from prolly.chunks import RefMove

Run = Callable[..., Any]


def test_gc_says_what_it_did(people: Run) -> None:
    """It keeps what is young, takes what is not wanted, and tells both."""
    people("put", "people", "9", '{"name": "Zoe"}')
    people("reset", "--hard")
    kept = people("gc").out
    assert "removed 0 chunks" in kept and "on the disk:" in kept
    planned = people("gc", "--dry-run", "--prune-older", "0", "--json").document
    assert planned["dry_run"] and planned["removed"] > 0
    done = people("gc", "--prune-older", "0", "--json").document
    assert done["removed"] == planned["removed"]
    assert people("gc", "--prune-older", "2w", "--json").document["removed"] == 0
    assert people("get", "people", "1", "--at", "HEAD~1").code == 0


@pytest.mark.parametrize("text", ["", "14", "d", "-1d", "1y", "9999999d", "1.5d"])
def test_gc_refuses_what_is_no_duration(people: Run, text: str) -> None:
    """Something else than a number and a unit is invalid input, exit 2."""
    assert "[duration]" in people("gc", f"--prune-older={text}", code=2).err


def test_fsck_finds_nothing_then_something(people: Run, place: Path) -> None:
    """Exit 0 on a sound repository, exit 1 with a line for each fault."""
    assert "found 0 faults" in people("fsck").out
    (last,) = people("fsck", "--full", "--json").lines
    assert last["faults"] == 0 and last["objects"] > 5 and last["bytes"] > 100
    with prolly.open(place) as repo:
        repo.store.move_refs([RefMove("tags/gone", None, bytes(32))])
    fault, last = people("fsck", "--json", code=1).lines
    assert fault["fault"] == "ref-dangling" and fault["ref"] == "tags/gone"
    assert fault["address"] == "00" * 32 and fault["detail"]
    assert last["faults"] == 1
    text = people("fsck", code=1).out
    assert text.startswith("ref-dangling: ") and "found 1 fault\n" in text


def test_fsck_gives_advice_once(people: Run, place: Path) -> None:
    """The hints of faults stand on standard error, each once, and in JSON with each."""
    with prolly.open(place) as repo:
        repo.store.write_setting("head", b"\xff")
    assert people("fsck", code=1).err.count("hint: ") == 1
    fault, _last = people("fsck", "--json", code=1).lines
    assert fault["fault"] == "store-entry" and "prolly switch" in fault["hint"]


def test_stats_of_the_store(people: Run) -> None:
    """Store, refs and datasets, as text and as JSON."""
    found = people("stats", "--json").document
    assert found["chunks"] == found["inline_chunks"] > 5
    assert found["refs"]["branches/main"]["bytes"] == found["reachable_bytes"]
    assert found["datasets"]["people"]["unique_bytes"] > 0
    text = people("stats").out
    for word in ("on the disk", "branches/main", "people", "unique"):
        assert word in text
    lines = text.splitlines()
    assert len({len(line) for line in lines[: lines.index("")]}) == 1


def test_stats_of_a_dataset(people: Run) -> None:
    """Levels and sizes of one dataset, of the working state or a version."""
    found = people("stats", "people", "--json").document
    assert found["count"] == 3 and found["kind"] == "table"
    assert found["levels"][-1]["entries"] == 3
    people("delete", "people", "1")
    assert people("stats", "people", "--json").document["count"] == 2
    assert people("stats", "people", "--at", "HEAD", "--json").document == found
    text = people("stats", "people").out
    assert text.startswith("people: table of 2 records") and "level" in text
    assert "[no-such-dataset]" in people("stats", "absent", code=3).err


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 kB"), (5 * 1024**3, "5.0 GB")],
)
def test_sizes(count: int, text: str) -> None:
    """Sizes are told in the unit that suits them."""
    assert size_text(count) == text
    assert size_text(5000 * 1024**4) == "5000.0 TB"
