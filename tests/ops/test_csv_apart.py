"""Imports on several processes: tables and errors are those of one."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import prolly
from prolly.errors import Error
from prolly.ops import csv_stretches, import_table, open_table
from prolly.testing.direct_executor import DirectExecutor
from prolly.testing.repositories import memory_repository

CELLS = st.sampled_from(
    ["1", "2", "07", "1.5", "", "nan", "-0.0", "true", "word", "2020-01-02", '"a\nb"']
)


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small files have many stretches."""
    monkeypatch.setattr(csv_stretches, "STRETCH_BYTES", 64)


def outcome(data: bytes, jobs: Any, before: bytes = b"", **how: Any) -> Any:
    """Return what an import answers and leaves, or the error."""
    with memory_repository() as repo:
        try:
            with repo.transaction("main", message="m") as tx:
                if before:
                    with open_table(io.BytesIO(before), "csv") as source:
                        import_table(tx, "t", source, key="id")
                with open_table(io.BytesIO(data), "csv") as source:
                    result = import_table(tx, "t", source, key="id", jobs=jobs, **how)
        except Error as error:
            return type(error), error.code, error.message, error.facts
        return result, repo.at("main").datasets["t"]


def same(data: bytes, **how: Any) -> Any:
    """Return the outcome of an import, which is the same whoever reads."""
    executor = DirectExecutor()
    alone = outcome(data, 1, **how)
    assert outcome(data, executor, **how) == alone
    assert executor.tasks > 1
    return alone


@given(st.lists(st.tuples(CELLS, CELLS), min_size=12, max_size=40))
def test_types_and_rows_are_those_of_one_process(rows: list[tuple[str, str]]) -> None:
    """Any cells: the same types are inferred and the same table comes out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_stretches, "STRETCH_BYTES", 64)
        lines = [f"{n},{one},{other}\n" for n, (one, other) in enumerate(rows)]
        same(("id,a,b\n" + "".join(lines)).encode())


def numbered(count: int, *, seed: int = 1) -> list[str]:
    """Return lines of a table, in random order."""
    source = random.Random(seed)
    lines = [f"{n},name {n % 7},{n / 8!r}\n" for n in range(count)]
    source.shuffle(lines)
    return lines


HEADER = "id,name,value\n"


@pytest.mark.parametrize("mode", ["replace", "update", "append"])
def test_modes(mode: str) -> None:
    """Each mode does to a table that is there what it does alone."""
    before = (HEADER + "".join(numbered(30))).encode()
    same((HEADER + "".join(numbered(50, seed=2))).encode(), before=before, mode=mode)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("7,again,1.0\n", "duplicate-key"),
        (",nothing,1.0\n", "null-key"),
        ("900,ragged\n", "ragged-row"),
        ('901,"open,1.0\n', "bad-csv"),
    ],
)
def test_errors_name_the_same_lines(line: str, code: str) -> None:
    """What is wrong with a row is told in the same words, with the same lines."""
    lines = numbered(50)
    lines.insert(30, line)
    kind, found, message, _ = same((HEADER + "".join(lines)).encode())
    assert (found, issubclass(kind, Error)) == (code, True)
    assert "32" in message


def test_misfits_of_a_stored_schema_name_their_line() -> None:
    """A cell that does not fit the stored type is told with its line and column."""
    before = (HEADER + "".join(numbered(9))).encode()
    data = HEADER + "".join([*numbered(40), "x,y,z\n"])
    assert "line 42" in same(data.encode(), before=before)[2]


def test_cuts_within_quotes_are_made_good() -> None:
    """Stray quotes and line ends in cells fool the cuts, and not the table."""
    rows = [f'{n},5" pipe,"a\nb\nc\n"\n' for n in range(40)]
    assert same((HEADER + "".join(rows)).encode())[0].rows == 40


def test_long_cells_come_along() -> None:
    """Cells out of line are stored with the rows that refer to them."""
    rows = [f"{n},{str(n) * 2000},1.0\n" for n in range(10, 30)]
    assert same((HEADER + "".join(rows)).encode())[0].rows == 20


def test_columns_that_are_left_out_take_defaults_or_stay() -> None:
    """What becomes of a column that a later file lacks does not depend on who reads."""
    before = (HEADER + "".join(numbered(30))).encode()
    data = "id,name\n" + "".join(f"{n},new {n}\n" for n in range(40))
    for missing in ("default", "keep"):
        alone = outcome(data.encode(), 1, before=before, missing=missing)
        executor = DirectExecutor()
        assert outcome(data.encode(), executor, before=before, missing=missing) == alone


class LostExecutor(DirectExecutor):
    """An executor whose processes end before their work does."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return what never has a result."""
        future: Future[Any] = Future()
        future.set_exception(BrokenExecutor())
        return future


def test_a_lost_worker_is_an_error() -> None:
    """A process that ends early makes the import fail, and nothing is stored."""
    found = outcome((HEADER + "".join(numbered(50))).encode(), LostExecutor())
    assert found[:2] == (prolly.StorageFailed, "worker-lost")


def test_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two real processes import, and check, as one does."""
    monkeypatch.setattr("prolly.ops.worker_pool.SHARED_BYTES_MIN", 1)
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "".join(numbered(400)))
    roots = []
    for jobs in (1, 2):
        with prolly.init(tmp_path / f"r{jobs}") as repo:
            with repo.transaction("main", message="m") as tx:
                import_table(tx, "t", path, key="id", jobs=jobs)
            roots.append(repo.at("main").datasets["t"].root)
            check = repo.fsck(full=True, jobs=jobs)
            assert not list(check)
    assert roots[0] == roots[1]


def progress_of(jobs: Any) -> Iterator[tuple[int, int]]:
    """Yield what an import tells of its progress."""
    told: list[tuple[int, int]] = []
    data = (HEADER + "".join(numbered(50))).encode()
    outcome(data, jobs, progress=lambda done, size: told.append((done, size)))
    return iter(told)


def test_progress_ends_with_all_bytes() -> None:
    """Shared or not, the progress grows up to the size of the input."""
    for jobs in (1, DirectExecutor()):
        told = list(progress_of(jobs))
        assert told == sorted(told)
        assert told[-1][0] == told[-1][1]
