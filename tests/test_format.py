"""Format version 1 is frozen: what was written then is read, and written the same."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import prolly
from prolly import Repository
from prolly.chunks import FORMAT_VERSION, LocalStore, MemoryStore
from prolly.chunks.local_store import FORMAT
from prolly.codec.store_entry import encode_counter
from prolly.errors import Unsupported
from prolly.ops import apply_bundle
from prolly.repo import begin_history
from prolly.testing.format_history import (
    BLOB_BYTES,
    LONG_BYTES,
    RECORDS,
    ROWS,
    VALUES,
    content,
    record,
    row,
    still_environment,
    write_history,
)


@pytest.fixture(scope="module")
def fixture(root: Path) -> Path:
    """The directory of the fixture."""
    return root / "tests" / "data" / "format-1"


@pytest.fixture(scope="module")
def heads(fixture: Path) -> dict[str, str]:
    """What the refs named at the freeze."""
    text: dict[str, str] = json.loads((fixture / "heads.json").read_text())
    return text


@pytest.fixture
def frozen(fixture: Path, tmp_path: Path) -> Iterator[Repository]:
    """The repository of then, opened."""
    with prolly.open(unpack(fixture / "repository.tar.xz", tmp_path)) as repo:
        yield repo


def unpack(archive: Path, directory: Path) -> Path:
    """Unpack an archive of one member at its top; return where that lies."""
    with tarfile.open(archive) as file:
        file.extractall(directory, filter="data")
        return directory / file.getnames()[0]


def set_version(directory: Path, version: int) -> None:
    """Let a store say that it has another version."""
    store = LocalStore.open(directory / ".prolly")
    store._index.write_setting(FORMAT, encode_counter(version))
    store.close()


def heads_of(repo: Repository) -> dict[str, str]:
    """Return what branches and tags name."""
    named = {f"branches/{name}": str(at) for name, at in repo.branches.items()}
    return named | {f"tags/{name}": str(at) for name, at in repo.tags.items()}


def test_the_same_history_has_the_same_ids(heads: dict[str, str]) -> None:
    """Trees, rows, descriptors, merges and commits are spelt as they were then."""
    store, environment = MemoryStore(), still_environment()
    begin_history(store, environment)
    with Repository(store, None, environment=environment) as repo:
        write_history(repo)
        assert heads_of(repo) == heads


def test_the_store_of_then_is_whole(frozen: Repository, heads: dict[str, str]) -> None:
    """Each ref is there, and a full check finds nothing, trees made anew included."""
    assert heads_of(frozen) == heads
    assert list(frozen.fsck(full=True)) == []


def test_the_store_of_then_is_read(frozen: Repository) -> None:
    """Every kind of dataset gives the values that were put into it."""
    first = frozen.at("v1")
    values = dict(first.map("values").items())
    assert values.pop("long") == content("long", LONG_BYTES)
    assert values == VALUES
    assert list(first.map("records").items()) == [record(n) for n in range(RECORDS)]
    rows = [row(number) for number in range(ROWS)]
    rows[7]["seal"] = content("long seal", LONG_BYTES)
    assert list(first.table("cities").rows()) == rows
    assert first.table("cities").index("by_name").get("name 9") == rows[9]
    assert first.blob("picture").read() == content("picture", BLOB_BYTES)
    files = first.files("model")
    assert files.read("deep/er/weights.bin") == content("weights", 8_000)
    assert files["readme.txt"].mode == 0o644
    assert frozen.dataset_stats("many", "v1").levels[0].level == 2


def test_merges_of_then_are_read(frozen: Repository) -> None:
    """Policies, stamps, tags and losers that are kept mean what they meant."""
    merged = frozen.at("kept")
    assert dict(merged.map("counters").items()) == {"clicks": 14, "views": 9}
    assert merged.map("sets")["tags"] == ["b", "c", "d"]
    assert merged.map("text")["page"] == "ONE\ntwo\nTHREE\n"
    assert merged.map("stamped")["word"] == "theirs"
    assert merged.map("tagged")["tags"] == ["a", "ours", "theirs"]
    assert len(merged.map("prolly/conflicts")) == 1
    assert frozen.at("resolved").table("cities")[5]["name"] == "name of theirs"
    assert merged.table("cities")[6]["note"] == "none"


def test_what_was_begun_then_is_ended(frozen: Repository) -> None:
    """A merge that waits is settled, a stash comes back, local data are here."""
    assert frozen.at("main").map("drafts")["a"] == "here alone"
    conflicts = frozen.conflicts("main")
    assert [conflict.key for conflict in conflicts.values()] == [5]
    conflicts.settle("cities", 5, "ours")
    conflicts.commit()
    assert frozen.at("main").table("cities")[5]["name"] == "name of ours"
    frozen.switch("feature")
    frozen.stash.pop()
    assert frozen.at_working("feature").map("records")["put"] == b"aside"


def test_the_bundle_of_then_is_taken(
    fixture: Path, tmp_path: Path, heads: dict[str, str]
) -> None:
    """Its commits are verified and found under the same ids."""
    bundle = unpack(fixture / "bundle.tar.xz", tmp_path)
    with prolly.init(tmp_path / "new") as repo:
        apply_bundle(repo, bundle)
        assert len(repo.at(heads["branches/kept"]).map("records")) == RECORDS - 1
        assert list(repo.fsck(full=True)) == []


@pytest.mark.parametrize("version", [0, 2, 2**40])
def test_a_store_of_another_version_is_refused(
    fixture: Path, tmp_path: Path, version: int
) -> None:
    """The error names both versions and what to do, and nothing is written."""
    directory = unpack(fixture / "repository.tar.xz", tmp_path)
    set_version(directory, version)
    before = (directory / ".prolly" / "data.mdb").read_bytes()
    with pytest.raises(Unsupported) as caught:
        prolly.open(directory)
    assert caught.value.code == "format-version"
    assert (caught.value.expected, caught.value.actual) == (FORMAT_VERSION, version)
    assert ("Upgrade" if version > FORMAT_VERSION else "Export") in caught.value.hint
    assert (directory / ".prolly" / "data.mdb").read_bytes() == before
