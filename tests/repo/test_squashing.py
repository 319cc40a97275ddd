"""Folding the newest commits of a branch into one."""

from __future__ import annotations

from prolly.repo import Repository
from prolly.repo.squashing import SQUASH_LINES_MAX
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.waiting_merges import refused, sets


def some(count: int) -> Repository:
    """Return a branch of so many commits."""
    repo = memory_repository()
    for number in range(count):
        with repo.transaction("main", message=f"change {number}\n\nmore") as tx:
            tx.map("m")[f"k{number}"] = number
    return repo


def test_the_data_is_that_of_the_newest() -> None:
    """One commit on top of the ancestor, with the first lines of all; the old tip is
    one move back."""
    repo = some(3)
    old, root = repo.resolve("main"), repo.at("main").root
    commit_id = repo.squash("main~2")
    commit = repo.commit_of("main")
    assert (commit_id, commit.root) == (repo.resolve("main"), root)
    assert commit.parents == (repo.resolve(f"{old}~2"),)
    assert commit.message == "2 commits in one\n\n- change 1\n- change 2"
    assert commit.generation == 2
    assert repo.resolve("main@{1}") == old


def test_message_and_author_are_given_or_kept() -> None:
    """One author of all stays the author; of several whoever folds is."""
    repo = some(1)
    for author in ("Ada", "Ada", "Bob"):
        with repo.transaction("main", message=author, author=author) as tx:
            tx.map("m")["x"] = len(list(repo.log("main")))
    repo.create_branch("two", "main~1")
    repo.squash("two~2", "two")
    assert repo.commit_of("two").author == "Ada"
    repo.squash("main~3")
    assert repo.commit_of("main").author == "tester"
    repo.squash("main~1", message="told", author="Cy")
    commit = repo.commit_of("main")
    assert (commit.message, commit.author) == ("told", "Cy")


def test_many_commits_make_a_message_of_bounded_length() -> None:
    """Past a hundred the others are counted; at the limit all are named."""
    repo = some(SQUASH_LINES_MAX + 2)
    repo.create_branch("all", f"main~{1}")
    repo.squash("all~" + str(SQUASH_LINES_MAX), "all")
    lines = repo.commit_of("all").message.splitlines()
    assert (len(lines), lines[-1]) == (
        SQUASH_LINES_MAX + 2,
        f"- change {SQUASH_LINES_MAX}",
    )
    repo.squash("main~" + str(SQUASH_LINES_MAX + 1))
    lines = repo.commit_of("main").message.splitlines()
    assert (len(lines), lines[-1]) == (SQUASH_LINES_MAX + 3, "- and 1 more")


def test_commits_that_take_each_other_back_leave_nothing() -> None:
    """The branch stands at the ancestor then."""
    repo = some(1)
    before = repo.resolve("main")
    write_on(repo, "main", sets(x=1))
    repo.revert("main")
    assert repo.squash(before) == before == repo.resolve("main")


def test_what_is_uncommitted_stays() -> None:
    """On top of the folded commit."""
    repo = some(3)
    with repo.working_area().edit("put") as workspace:
        workspace.map("m")["new"] = 1
    commit_id = repo.squash("main~2")
    area = repo.working_area()
    assert (area.state.base, repo.at_working().map("m")["new"]) == (commit_id, 1)
    [changed] = repo.diff("main", repo.at_working())
    assert changed.key == "new"


def test_what_is_no_ancestor_is_refused() -> None:
    """And so is a branch without a commit since."""
    repo = some(2)
    repo.create_branch("other", "main~1")
    refused("not-an-ancestor", repo, lambda: repo.squash("main", "other"))
    refused("nothing-to-squash", repo, lambda: repo.squash("main"))
