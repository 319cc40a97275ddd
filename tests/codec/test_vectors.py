"""The vectors and the worked bytes of the specification hold, both ways."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from prolly.codec import (
    Reference,
    address_of,
    cbor,
    dataset_id,
    json_form,
    key,
    manifest_key,
    outline_row,
    row,
)
from prolly.errors import Corrupt
from prolly.testing.worked_bytes import LAYOUTS

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
SPEC = ROOT / "docs" / "spec"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def vectors(name: str) -> Any:
    """Return the content of one file of vectors."""
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def worked_examples() -> Iterator[tuple[str, str, Any, bytes]]:
    """Yield (page, layout, form, bytes) of every worked example of the spec."""
    for page in sorted(SPEC.glob("*.md")):
        for layout, block in FENCE.findall(page.read_text(encoding="utf-8")):
            if layout in LAYOUTS:
                for line in block.splitlines():
                    form, _, spelling = line.rpartition(" => ")
                    yield page.name, layout, json.loads(form), bytes.fromhex(spelling)


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_valid_vectors_hold_both_ways(name: str) -> None:
    """The form makes the bytes, and the bytes give back the form."""
    layout, cases = LAYOUTS[name], vectors(name)
    assert cases["layout"] == name and cases["valid"]
    for case in cases["valid"]:
        data = bytes.fromhex(case["bytes"])
        assert layout.encode(case["form"]) == data, case["name"]
        assert layout.decode(data, case["form"]) == case["form"], case["name"]


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_invalid_vectors_are_corrupt(name: str) -> None:
    """Each is refused with Corrupt, and with nothing else."""
    for case in vectors(name)["invalid"]:
        with pytest.raises(Corrupt):
            LAYOUTS[name].decode(bytes.fromhex(case["bytes"]), case.get("form"))
            raise AssertionError(f"{name}: {case['name']} was accepted")


def test_worked_bytes_of_the_spec_are_true() -> None:
    """Every layout has an example on its page, and each example holds both ways."""
    seen = set()
    for page, name, form, data in worked_examples():
        seen.add(name)
        assert LAYOUTS[name].encode(form) == data, (page, form)
        assert LAYOUTS[name].decode(data, form) == form, (page, form)
    assert seen == LAYOUTS.keys()


def test_key_vectors_sort_as_their_values() -> None:
    """Numbers of one type among the vectors are in the order of their bytes."""
    found = [bytes.fromhex(case["bytes"]) for case in vectors("key")["valid"]]
    for kind in (int, float):
        numbers = [
            (data, number)
            for data in found
            if type(number := key.decode_key(data)) is kind
        ]
        by_bytes = [number for _, number in sorted(numbers, key=lambda pair: pair[0])]
        assert by_bytes == sorted(number for _, number in numbers)


def test_row_outline_vectors_hold_both_ways() -> None:
    """The stored value, and the pieces in the order in which they are written."""
    for case in vectors("row_outline")["valid"]:
        cells, fills = (
            [json_form.from_json(one) for one in case[column]]
            for column in ("cells", "fills")
        )
        pieces: dict[bytes, bytes] = {}

        def write(data: bytes, pieces: dict[bytes, bytes] = pieces) -> Reference:
            chunk = b"\x03" + data
            pieces[address_of(chunk)] = chunk
            return Reference(address_of(chunk), 3)

        value = outline_row.encode_outline(cells, fills, write)
        assert value.hex() == case["bytes"], case["name"]
        assert [piece.hex() for piece in pieces.values()] == case["pieces"]

        def read(reference: Reference, pieces: dict[bytes, bytes] = pieces) -> bytes:
            return pieces[reference.address][1:]

        back = outline_row.decode_outline(value, fills, read)
        assert cbor.encode(back) == cbor.encode(cells)


def test_id_vectors_hold() -> None:
    """Ids of datasets and of columns, and the manifest's key."""
    cases = vectors("ids")
    for case in cases["datasets"]:
        taken = [bytes.fromhex(one) for one in case["taken"]]
        local = case.get("local", False)
        found = dataset_id(case["name"], case["kind"], taken, local=local)
        assert found.hex() == case["id"]
        assert case.get("manifest_key", manifest_key(found).hex()) == (
            manifest_key(found).hex()
        )
    for case in cases["columns"]:
        found_id = row.column_id(case["name"], case["type"], case["taken"])
        assert found_id == case["id"]


def test_the_data_of_blob_vectors_is_as_described() -> None:
    """Anybody can make it: the extended output of BLAKE3 over the text "prolly"."""
    data = blake3(b"prolly").digest(length=1)
    case = vectors("blob")["blobs"][1]
    assert case["length"] == 1
    assert address_of(b"\x03" + data).hex() == case["root"]
