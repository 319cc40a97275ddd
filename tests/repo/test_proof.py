"""Proofs: they convince without a store, and nothing else does."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly import ABSENT, Schema
from prolly.errors import Corrupt, Error, Invalid, NotFound
from prolly.repo import Proof, Repository
from prolly.testing.repositories import memory_repository


@pytest.fixture(scope="module")
def repo() -> Repository:
    repo = memory_repository()
    with repo.transaction("main") as tx:
        tx.map("m").update((number, f"value {number}" * 9) for number in range(5000))
        tx.map("m")[77] = "long" * 5000
        tx.table("t", key="id").load([{"id": n, "a": n % 7} for n in range(3000)])
    with repo.transaction("main") as tx:
        tx.map("m")[5] = "other"
    return repo


@settings(max_examples=40, deadline=None)
@given(key=st.integers(-5, 5005))
def test_single_keys_are_proved_present_or_absent(repo: Repository, key: int) -> None:
    """The proof gives the value, or nothing, from the commit id alone."""
    snapshot = repo.at("main")
    data = snapshot.prove("m", key).encode()
    value = snapshot.map("m").get(key)
    found = Proof.decode(data).verify(repo.resolve("main"), "m", key)
    assert found == (ABSENT if value is None else value)
    assert len(data) < 60_000


def test_ranges_and_rows_are_proved(repo: Repository) -> None:
    """A range proof gives exactly the rows of the range."""
    snapshot = repo.at("main")
    proof = snapshot.prove_range("t", 100, 400)
    commit_id = repo.resolve("main")
    rows = proof.verify_range(commit_id, "t", 100, 400)
    assert rows == [(n, {"id": n, "a": n % 7}) for n in range(100, 400)]
    assert len(snapshot.prove_range("t").verify_range(commit_id, "t")) == 3000
    row = snapshot.prove("t", 7).verify(str(commit_id), "t", 7)
    assert row == {"id": 7, "a": 0}


@pytest.mark.parametrize(
    ("dataset", "keys"),
    [("t", (9,)), ("m", (10,)), ("m", (9, 10)), ("m", (None, None)), ("m", (9, None))],
)
def test_a_true_answer_to_another_question_is_refused(
    repo: Repository, dataset: str, keys: tuple[int | None, ...]
) -> None:
    """Another dataset, another key, a range in place of a key: ``proof-question``."""
    proof = repo.at("main").prove("m", 9)
    check = proof.verify if len(keys) == 1 else proof.verify_range
    with pytest.raises(Corrupt) as caught:
        check(repo.resolve("main"), dataset, *keys)
    assert caught.value.code == "proof-question"


def test_a_key_is_taken_as_its_column_takes_it() -> None:
    """What asks and what checks spell a key in the same way, by the proved schema."""
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            schema = Schema.create([("p", "decimal"), ("v", "int")], "p")
            tx.table("t", schema=schema).insert({"p": 5, "v": 1})
        commit_id = repo.resolve("main")
        proof = repo.at("main").prove("t", 5)
        assert proof.verify(commit_id, "t", Decimal(5))["v"] == 1
        with pytest.raises(Invalid):
            proof.verify(commit_id, "t", "x")


def test_a_proof_is_short_on_screen_and_named_when_cut(repo: Repository) -> None:
    """repr names dataset, commit and size; cut bytes are ``proof-form``."""
    proof = repo.at("main").prove("m", 9)
    assert len(repr(proof)) < 100
    assert "'m'" in repr(proof) and str(proof.commit)[:12] in repr(proof)
    for data in (proof.encode()[:-1], b"", b"\x80"):
        with pytest.raises(Corrupt) as caught:
            Proof.decode(data)
        assert caught.value.code == "proof-form"


def test_a_proof_holds_for_its_commit_only(repo: Repository) -> None:
    """Checked against another commit it is refused, though the value is the same."""
    proof = repo.at("main").prove("m", 9)
    with pytest.raises(Corrupt) as caught:
        proof.verify(repo.resolve("main~1"), "m", 9)
    assert caught.value.code == "proof-incomplete"


@pytest.mark.parametrize("seed", range(30))
def test_tampering_is_refused(repo: Repository, seed: int) -> None:
    """A changed byte, a chunk left out, or one put in, is found."""
    source = random.Random(seed)
    good = repo.at("main").prove("m", 1234)
    chunks = list(good.chunks)
    place = source.randrange(len(chunks))
    kind = seed % 3
    if kind == 0:
        changed = bytearray(chunks[place])
        changed[source.randrange(len(changed))] ^= 1 << source.randrange(8)
        chunks[place] = bytes(changed)
    elif kind == 1:
        del chunks[place]
    else:
        chunks.append(repo.at("main").prove("m", 4321).chunks[-1])
    bad = Proof(good.commit, good.dataset, good.start, good.stop, tuple(chunks))
    with pytest.raises(Corrupt):
        bad.verify(repo.resolve("main"), "m", 1234)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 10**6))
def test_noise_is_no_proof(repo: Repository, noise: bytes, place: int) -> None:
    """Any bytes, and any proof with bytes changed, decode and verify or are refused."""
    data = bytearray(repo.at("main").prove("m", 1).encode())
    at = place % len(data)
    data[at : at + len(noise)] = noise
    for candidate in (noise, bytes(data)):
        try:
            found = Proof.decode(candidate).verify(repo.resolve("main"), "m", 1)
        except Error as error:
            assert error.code
        else:
            assert found == repo.at("main").map("m")[1]


def test_what_cannot_be_proved(repo: Repository) -> None:
    """A working state has no id; an unknown dataset is NotFound."""
    with pytest.raises(Invalid) as caught:
        repo.at_working().prove("m", 1)
    assert caught.value.code == "not-committed"
    with pytest.raises(NotFound):
        repo.at("main").prove("nope", 1)


@pytest.mark.parametrize("bounds", [(9, 9), (10, 9)])
def test_a_range_of_nothing_is_no_question(
    repo: Repository, bounds: tuple[int, int]
) -> None:
    """start >= stop is ``proof-range`` for who proves and who asks."""
    with pytest.raises(Invalid) as caught:
        repo.at("main").prove_range("m", *bounds)
    assert caught.value.code == "proof-range" and caught.value.hint
    proof = repo.at("main").prove_range("m", 9, 10)
    with pytest.raises(Invalid) as caught:
        proof.verify_range(repo.resolve("main"), "m", *bounds)
    assert caught.value.code == "proof-range"
    turned = replace(proof, start=proof.stop, stop=proof.start)
    with pytest.raises(Corrupt) as form:
        Proof.decode(turned.encode())
    assert form.value.code == "proof-form"


def test_a_question_has_one_proof(repo: Repository) -> None:
    """Chunks twice are ``proof-excess``, in another order ``proof-order``."""
    proof = repo.at("main").prove("m", 9)
    for chunks, code in (
        (proof.chunks * 2, "proof-excess"),
        (proof.chunks[::-1], "proof-order"),
        ((*proof.chunks[1:], proof.chunks[0]), "proof-order"),
    ):
        changed = Proof.decode(replace(proof, chunks=chunks).encode())
        with pytest.raises(Corrupt) as caught:
            changed.verify(repo.resolve("main"), "m", 9)
        assert caught.value.code == code
