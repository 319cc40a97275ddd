"""The record: what the seed makes of it, its size, and the choices over it."""

from __future__ import annotations

import csv
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.records import COLUMNS, PAYLOAD_BYTES, Form, Records

FORMS: list[Form] = ["map", "table"]


def payload(record: tuple[object, ...]) -> int:
    """Return the bytes of a record's cells, numbers at eight bytes."""
    return sum(len(one) if isinstance(one, str | bytes) else 8 for one in record)


@given(st.integers(0, 2**32), st.integers(0, 10**7), st.integers(0, 9))
def test_a_record_is_a_function_of_its_arguments(
    seed: int, number: int, version: int
) -> None:
    """The same seed, number and version make the same record, of the same size."""
    for form in FORMS:
        records = Records(seed, 10, form)
        record = records.record(number, version)
        assert record == Records(seed, 99, form).record(number, version)
        assert record[0] == records.key(number)
        assert payload(record) == PAYLOAD_BYTES
        assert record != records.record(number, version + 1)


@pytest.mark.parametrize("form", FORMS)
def test_new_records_stand_between_those_that_are_there(form: Form) -> None:
    """A new record has an absent key, and is of the size of any other."""
    records = Records(1, 100, form)
    new = [records.new_record(number) for number in range(100)]
    assert [one[0] for one in new] == [records.absent_key(n) for n in range(100)]
    assert {payload(one) for one in new} == {PAYLOAD_BYTES}


@pytest.mark.parametrize("form", FORMS)
def test_keys_ascend_and_absent_keys_lie_between(form: Form) -> None:
    """Keys are in the order of their numbers, and no absent key is a key."""
    records = Records(1, 1000, form)
    keys = [records.key(number) for number in range(1000)]
    absent = {records.absent_key(number) for number in range(1000)}
    assert keys == sorted(keys, key=str if form == "map" else int)
    assert not absent & set(keys)


def test_values_do_not_compress() -> None:
    """A thousand values stay as long as they are, however they are packed."""
    values = b"".join(value for _, value in Records(1, 0, "map").records(range(1000)))
    assert len(zlib.compress(values, 9)) >= len(values)


def test_the_shuffle_holds_every_number_once() -> None:
    """The random order is a permutation, the same for one seed, of others another."""
    order = list(Records(1, 500, "map").shuffled())
    assert sorted(order) == list(range(500)) != order
    assert order == list(Records(1, 500, "table").shuffled())
    assert order != list(Records(2, 500, "map").shuffled())


@given(st.integers(2, 3000), st.integers(1, 400))
def test_choices_stay_within_the_records(count: int, size: int) -> None:
    """Every way to choose gives numbers of records that are there."""
    records = Records(3, count, "map")
    for chosen in (
        records.uniform(size, "a"),
        records.zipf(size, "a"),
        records.scattered(size, "a"),
        records.clustered(size, "a"),
    ):
        assert all(0 <= number < count for number in chosen)
    assert len(set(records.scattered(size, "a"))) == min(size, count)
    cluster = records.clustered(size, "a")
    assert cluster == list(range(cluster[0], cluster[0] + min(size, count)))


def test_zipf_chooses_few_records_often() -> None:
    """A tenth of the records gets most of the choices."""
    chosen = Records(3, 1000, "map").zipf(5000, "a")
    often = sorted(set(chosen), key=chosen.count, reverse=True)[:100]
    assert sum(map(chosen.count, often)) > 0.6 * len(chosen)


def test_the_csv_holds_every_record(tmp_path: Path) -> None:
    """The file has a header and one line a record, its note in hexadecimal digits."""
    records = Records(4, 50, "table")
    records.write_csv(tmp_path / "records.csv")
    with (tmp_path / "records.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS
    read = {int(row[0]): (float(row[3]), bytes.fromhex(row[4])) for row in rows}
    assert read == {one[0]: one[3:] for one in records.records(range(50))}
