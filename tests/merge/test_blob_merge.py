"""Blobs that both sides changed, settled by policies and resolvers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prolly.maps import ABSENT, read_blob
from prolly.merge import UNRESOLVED, Clash, ConflictKind, Resolve, Rules
from prolly.repo import Transaction
from prolly.testing.three_versions import ThreeVersions

Step = Callable[[Transaction], object]


def written(data: bytes, policy: str | None = None) -> Step:
    """Return a step that writes the blob, and sets its policy."""

    def step(tx: Transaction) -> None:
        with tx.blob("b", "wb") as blob:
            blob.write(data)
        if policy is not None:
            tx.set_policy("b", policy)

    return step


def asked(resolve: Resolve) -> tuple[Resolve, list[Clash]]:
    """Return a resolver that notes what it is asked."""
    clashes: list[Clash] = []

    def noting(clash: Clash) -> Any:
        clashes.append(clash)
        return resolve(clash)

    return noting, clashes


def versions(policy: str | None = None) -> ThreeVersions:
    """Return a blob that both sides wrote."""
    return ThreeVersions(
        written(b"base", policy), written(b"ours"), written(b"theirs!")
    )


def content(three: ThreeVersions, root: bytes) -> bytes:
    """Return the blob of a manifest."""
    entry = three.manifest(root).require("b")
    return read_blob(three.reader.get_chunk, entry.roots[0])


@pytest.mark.parametrize("by_policy", [False, True])
@pytest.mark.parametrize(
    ("answer", "stands"),
    [
        (lambda clash: clash.ours, b"ours"),
        (lambda clash: clash.theirs, b"theirs!"),
        (lambda clash: clash.base, b"base"),
        (lambda clash: b"both", b"both"),
        (lambda clash: b"x" * 200_000, b"x" * 200_000),
    ],
)
def test_a_resolver_settles_a_blob(
    by_policy: bool, answer: Resolve, stands: bytes
) -> None:
    """One that a policy names, or that the merge is given: a version, or new bytes."""
    three = versions("app:pick" if by_policy else None)
    resolve, clashes = asked(answer)
    rules = Rules(resolvers={"pick": resolve}) if by_policy else Rules(resolve=resolve)
    merge = three.merge(rules)
    assert merge.conflicts is None and content(three, merge.root) == stands
    [clash] = clashes
    assert (clash.dataset, clash.key) == ("b", ())
    sizes = [one["size"] for one in (clash.base, clash.ours, clash.theirs)]
    assert sizes == [4, 4, 7]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (UNRESOLVED, "both sides changed the blob"),
        (ABSENT, "no version of the blob"),
        ({"content": "00", "size": 0}, "no version of the blob"),
        ("text", "no version of the blob"),
    ],
)
def test_an_answer_that_cannot_stand_leaves_the_conflict(
    answer: Any, reason: str
) -> None:
    """Ours stands meanwhile, and the reason is told."""
    three = versions()
    merge = three.merge(Rules(resolve=lambda clash: answer))
    assert content(three, merge.root) == b"ours"
    [found] = three.conflicts(merge)
    assert found.kind is ConflictKind.RECORD and reason in found.entry.reason


def test_the_one_that_is_given_is_asked_after_the_policy() -> None:
    """A resolver that raises, then ``resolve``; both reasons if neither answers."""
    three = versions("app:broken")

    def broken(clash: Clash) -> Any:
        raise RuntimeError("no idea")

    rules = Rules(resolvers={"broken": broken}, resolve=lambda clash: clash.theirs)
    assert content(three, three.merge(rules).root) == b"theirs!"
    rules = Rules(resolve=lambda clash: 5)
    [found] = three.conflicts(three.merge(rules))
    assert "no resolver 'broken'" in found.entry.reason
    assert "no version of the blob" in found.entry.reason


@pytest.mark.parametrize("policy", ["ours", "theirs", "keep-both"])
def test_nobody_is_asked_what_a_policy_settles(policy: str) -> None:
    """A built-in policy that decides goes first."""
    three = versions(policy)
    resolve, clashes = asked(lambda clash: clash.base)
    merge = three.merge(Rules(resolve=resolve))
    assert merge.conflicts is None and not clashes
    stands = {"ours": {b"ours"}, "theirs": {b"theirs!"}}.get(policy)
    assert content(three, merge.root) in (stands or {b"ours", b"theirs!"})


def test_a_blob_new_on_both_sides_has_no_base() -> None:
    """What is not there is ABSENT."""
    three = ThreeVersions(
        lambda tx: tx.map("m").update({1: 1}), written(b"ours"), written(b"theirs")
    )
    resolve, clashes = asked(lambda clash: clash.theirs)
    assert content(three, three.merge(Rules(resolve=resolve)).root) == b"theirs"
    assert clashes[0].base is ABSENT
