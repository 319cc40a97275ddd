"""Which commits are made again: the parent of a merge, and a policy for all steps."""

from __future__ import annotations

import pytest

from prolly.codec import REPLAY_COMMITS_MAX
from prolly.errors import Invalid, LimitExceeded
from prolly.repo import Repository
from prolly.repo.replay_commits import change_parent, require_few
from prolly.testing.repositories import diverged, write_on
from prolly.testing.waiting_merges import refused, sets


@pytest.fixture
def joined() -> Repository:
    """A merge of ``feature`` into ``main``, and a branch ``aside`` on their base."""
    repo = diverged(sets(a=1, b=1), sets(a=2), sets(b=2))
    repo.create_branch("aside", "main~1")
    repo.merge("feature")
    return repo


def values(repo: Repository, revision: str) -> dict[str, int]:
    return dict(repo.at(revision).map("m").items())


@pytest.mark.parametrize(
    ("mainline", "picked"), [(1, {"a": 1, "b": 2}), (2, {"a": 2, "b": 1})]
)
def test_a_merge_is_picked_against_either_parent(
    joined: Repository, mainline: int, picked: dict[str, int]
) -> None:
    """As one commit with its author and words; how it was merged goes not along."""
    result = joined.cherry_pick("main", "aside", mainline=mainline)
    assert (result.status, len(result.made)) == ("replayed", 1)
    assert values(joined, "aside") == picked
    old, new = joined.commit_of("main"), joined.commit_of("aside")
    assert (new.message, new.author, new.time_us) == (
        old.message,
        old.author,
        old.time_us,
    )
    assert new.metadata == {"picked": bytes(joined.resolve("main"))}


def test_a_picked_merge_waits_with_its_conflicts(joined: Repository) -> None:
    """And is told as what it is; settled, it is a commit of one parent."""
    write_on(joined, "aside", sets(b=9))
    result = joined.cherry_pick("main", "aside", mainline=1)
    assert (result.status, result.todo) == ("conflicts", 0)
    result.conflicts.settle_all("theirs")
    result.commit()
    assert values(joined, "aside") == {"a": 1, "b": 2}
    assert len(joined.commit_of("aside").parents) == 1


def test_the_number_of_a_parent_is_for_one_commit_and_true(joined: Repository) -> None:
    """Of several commits, of none that there is, and of no number it is refused."""
    both = ["main", "feature"]
    refused("mainline", joined, lambda: joined.cherry_pick(both, "aside", mainline=1))
    for number in (0, 3, "1"):
        refused(
            "mainline",
            joined,
            lambda number=number: joined.cherry_pick("main", "aside", mainline=number),
        )
    # Of a commit of one parent the first is that parent.
    assert joined.cherry_pick("feature", "aside", mainline=1).status == "replayed"


def test_a_change_is_one_against_the_only_parent(joined: Repository) -> None:
    """The first commit has none, a merge too many."""
    commits = joined.storage.commits
    feature = bytes(joined.resolve("feature"))
    assert change_parent(commits, feature, None) == joined.resolve("feature~1")
    for revision, code in (("main~3", "first-commit"), ("main", "merge-commit")):
        with pytest.raises(Invalid) as caught:
            change_parent(commits, bytes(joined.resolve(revision)), None)
        assert caught.value.code == code


def test_a_policy_holds_for_all_steps_until_one_stops() -> None:
    """Each commit tells of it; going on, it can be given once more."""
    repo = diverged(sets(a=1, b=1), sets(a=2, b=2), sets(a=3))
    write_on(repo, "feature", sets(b=3))
    old = repo.resolve("feature")
    result = repo.rebase("main", "feature", policy="theirs")
    assert (result.status, len(result.made)) == ("replayed", 2)
    assert values(repo, "feature") == {"a": 3, "b": 3}
    for one in result.made:
        assert repo.commit_of(one).metadata["merge"] == {"policy": "theirs"}
    repo.working_area("feature").move_head(bytes(old), keep=False, why="back")
    repo.rebase("main", "feature").conflicts.settle_all("ours")
    assert repo.resume("feature", policy="theirs").status == "replayed"
    assert values(repo, "feature") == {"a": 2, "b": 3}


def test_a_policy_that_is_none_is_refused(joined: Repository) -> None:
    """By every verb, and before anything is made."""
    lines = list(joined.patch("main~1", "main"))
    for policy in ("nonsense", "app:nobody"):
        for call in (
            lambda p=policy: joined.rebase("main", "aside", policy=p),
            lambda p=policy: joined.cherry_pick("main", "aside", mainline=1, policy=p),
            lambda p=policy: joined.revert("aside", "aside", policy=p),
            lambda p=policy: joined.apply(lines, "aside", policy=p),
        ):
            refused("unknown-policy", joined, call)


@pytest.mark.parametrize("count", [REPLAY_COMMITS_MAX, REPLAY_COMMITS_MAX + 1])
def test_so_many_commits_are_made_again_at_once(count: int) -> None:
    """One more is refused before anything is read."""
    todo = (bytes(32),) * count
    if count > REPLAY_COMMITS_MAX:
        with pytest.raises(LimitExceeded) as caught:
            require_few(todo)
        assert caught.value.code == "too-many-commits"
    else:
        assert require_few(todo) == todo
