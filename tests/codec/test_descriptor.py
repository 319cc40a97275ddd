"""Descriptors: inline and out of line, ids and names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import (
    DESCRIPTOR_ROOTS_MAX,
    STAMPED_POLICY,
    Descriptor,
    Reference,
    TreeParameters,
    address_of,
    cbor,
    check_dataset_name,
    dataset_id,
    decode_descriptor,
    decode_referring,
    encode_descriptor,
    encode_referring,
    key,
    manifest_key,
)
from prolly.codec.descriptor import DESCRIPTOR_BYTES_MAX
from prolly.errors import Corrupt, Invalid, LimitExceeded
from prolly.testing.strategies import addresses, texts, values

ROOT = Reference(bytes(range(32)), 1)
PLAIN = Descriptor(name="airports", kind="table", roots=(ROOT,))

descriptors = st.builds(
    Descriptor,
    name=st.just("a/b"),
    kind=st.sampled_from(["map", "table", "blob", "files"]),
    roots=st.lists(
        st.builds(Reference, addresses(), st.integers(1, 4)), min_size=1, max_size=29
    ).map(tuple),
    parameters=st.integers(0, 2**64 - 1).map(lambda seed: TreeParameters(seed=seed)),
    schema=st.one_of(st.none(), values(), st.binary(min_size=900, max_size=2000)),
    policies=st.dictionaries(texts(5), values(3), max_size=3),
    local=st.booleans(),
)


def round_trip(descriptor: Descriptor) -> Descriptor:
    """Encode, keep the piece, decode."""
    value, piece = encode_descriptor(descriptor)
    pieces = {} if piece is None else {address_of(piece): piece}
    return decode_descriptor(value, pieces.__getitem__)


@given(descriptors)
def test_decode_undoes_encode(descriptor: Descriptor) -> None:
    """Every descriptor comes back, whatever its size."""
    found = round_trip(descriptor)
    assert cbor.encode([found.schema, found.policies]) == cbor.encode(
        [descriptor.schema, descriptor.policies]
    )
    bare = descriptor._replace(schema=None, policies={})
    assert found._replace(schema=None, policies={}) == bare


def test_the_payload_moves_out_of_line_at_the_limit() -> None:
    """The last size that fits stays inline; one byte more makes a piece."""
    inline, pieces = 0, 0
    for size in range(850, 1000):
        value, piece = encode_descriptor(PLAIN._replace(schema=bytes(size)))
        inline, pieces = inline + (piece is None), pieces + (piece is not None)
        if piece is None:
            assert not pieces
            longest = len(value)
    assert inline and pieces and longest == 1000


def test_twenty_nine_trees_fit_and_no_more() -> None:
    """The limit of roots holds, inline room or not."""
    most = PLAIN._replace(roots=(ROOT,) * DESCRIPTOR_ROOTS_MAX)
    assert round_trip(most) == most
    with pytest.raises(LimitExceeded) as caught:
        encode_descriptor(PLAIN._replace(roots=(ROOT,) * (DESCRIPTOR_ROOTS_MAX + 1)))
    assert caught.value.code == "descriptor-too-long"


@pytest.mark.parametrize("scope", ["/", "00000001/", "/0161"])
def test_the_stamps_are_the_last_root_where_a_policy_asks(scope: str) -> None:
    """Whatever its scope; without the policy all roots are records and indexes."""
    stamps = Reference(bytes(32), 2)
    both = PLAIN._replace(roots=(ROOT, stamps))
    assert not both.keeps_stamps and both.stamps is None
    assert both.content_roots == both.roots
    kept = both._replace(policies={"/02": "conflict", scope: STAMPED_POLICY})
    assert kept.keeps_stamps and kept.stamps == stamps
    assert kept.content_roots == (ROOT,)
    unwritten = kept._replace(roots=())
    assert unwritten.stamps is None and unwritten.content_roots == ()


def test_stamps_that_are_missing_are_corrupt() -> None:
    """One root cannot be both the records and the stamps."""
    value, _ = encode_descriptor(PLAIN._replace(policies={"/": "conflict"}))
    references, payload = decode_referring(value)
    fields = cbor.decode(payload)
    fields[4] = {"/": STAMPED_POLICY}
    with pytest.raises(Corrupt) as caught:
        decode_descriptor(
            encode_referring(references, cbor.encode(fields)), {}.__getitem__
        )
    assert caught.value.code == "descriptor"


def test_a_schema_ends_at_a_megabyte() -> None:
    """At the limit it comes back, one byte past it is refused."""
    slack = len(cbor.encode(["airports", "table", [4080, 12240, 0], b"", {}, False]))
    room = DESCRIPTOR_BYTES_MAX - slack - 4
    most = PLAIN._replace(schema=bytes(room))
    assert round_trip(most) == most
    with pytest.raises(LimitExceeded):
        encode_descriptor(PLAIN._replace(schema=bytes(room + 1)))


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        ["n", "map", [4080, 12240, 0], None, {}],
        ["n", "heap", [4080, 12240, 0], None, {}, False],
        ["n", ["map"], [4080, 12240, 0], None, {}, False],
        ["a:b", "map", [4080, 12240, 0], None, {}, False],
        [5, "map", [4080, 12240, 0], None, {}, False],
        ["n", "map", [1, 2, 3], None, {}, False],
        ["n", "map", [4080, 12240, 0], None, None, False],
        ["n", "map", [4080, 12240, 0], None, {}, 0],
    ],
)
def test_a_payload_of_another_shape_is_corrupt(value: Any) -> None:
    """Kinds, names, parameters and types are checked when read."""
    stored = encode_referring([ROOT], cbor.encode(value))
    with pytest.raises(Corrupt):
        decode_descriptor(stored, lambda _: b"")


def test_a_payload_in_the_wrong_place_is_corrupt() -> None:
    """One descriptor has one encoding: what fits inline may not stand in a piece."""
    value, _ = encode_descriptor(PLAIN)
    payload = bytes(value)[34:]
    piece = b"\x03" + payload
    outside = Reference(address_of(piece), 3)
    for references in ([ROOT, outside], [outside], [ROOT, ROOT]):
        with pytest.raises(Corrupt):
            decode_descriptor(encode_referring(references), lambda _: piece)


@given(st.lists(st.tuples(texts(3), st.sampled_from(["map", "table"])), max_size=5))
def test_dataset_ids_agree_and_never_collide(names: list[tuple[str, str]]) -> None:
    """Ids are a function of name, kind and what is taken, and differ from those."""
    taken: list[bytes] = []
    for name, kind in names:
        found = dataset_id(name, kind, taken)
        assert len(found) == 8 and found not in taken
        assert found == dataset_id(name, kind, taken)
        assert key.decode_key(manifest_key(found)) == found
        taken.append(found)


@pytest.mark.parametrize("name", ["a", "a/b", "é", "x" * 255, "a b", "-", "."])
def test_a_good_name_passes(name: str) -> None:
    """Text up to 255 bytes, slashes inside."""
    check_dataset_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "a:b", "a\nb", "\x7f", "\x85", "x" * 256, "é" * 128, "/a", "a/", "a//b", 5,
     None, b"a", "\ud800"],
)  # fmt: skip
def test_a_bad_name_is_refused_with_a_hint(name: Any) -> None:
    """The error shows the name and says what a name is."""
    with pytest.raises(Invalid) as caught:
        check_dataset_name(name)
    assert caught.value.code == "dataset-name"
    assert caught.value.hint


@pytest.mark.parametrize("policies", [{}, {"/": STAMPED_POLICY}])
def test_a_table_has_a_tree_for_each_index(policies: dict[str, Any]) -> None:
    """Records, indexes and perhaps stamps: one more or one less is damage."""
    schema: Any = {"columns": [], "key": [], "indexes": [[], []]}
    right = 3 + len(policies)
    table = PLAIN._replace(schema=schema, policies=policies)
    assert round_trip(table._replace(roots=(ROOT,) * right)).roots == (ROOT,) * right
    for number in (right - 1, right + 1):
        value, _ = encode_descriptor(table._replace(roots=(ROOT,) * number))
        with pytest.raises(Corrupt) as caught:
            decode_descriptor(value, lambda _: b"")
        assert caught.value.code == "descriptor"
