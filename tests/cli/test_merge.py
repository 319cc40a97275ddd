"""``merge``, ``policy``, and what other commands say while a merge waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

NEXT = "next: prolly conflicts, prolly resolve DATASET [KEY]"


def head(run: Run) -> str:
    """Return the id of the branch's newest commit."""
    return str(run("status", "--json").document["commit"])


def test_a_merge_with_conflicts_exits_1_and_waits(forked: Run) -> None:
    """It tells them by dataset with what to do next; the branch stays where it is."""
    before = head(forked)
    told = forked("merge", "feature", code=1)
    lines = told.out.splitlines()
    assert "3 conflicts:" in lines
    assert lines[lines.index("3 conflicts:") + 1 :][:2] == [
        "  people    2",
        "  settings  1",
    ]
    assert any(line.startswith(NEXT) for line in lines)
    assert head(forked) == before
    row = forked("get", "people", "1", "--json").document
    assert row == {"id": 1, "name": "Ada L", "height": 1.61}


def test_a_merge_as_json(forked: Run) -> None:
    """One document: status, number of conflicts, counts by dataset, no commit."""
    told = forked("merge", "feature", "--json", code=1).document
    assert told == {
        "status": "conflicts",
        "conflicts": 3,
        "datasets": {"people": {"added": 0, "removed": 0, "modified": 1}},
        "conflicts_by_dataset": {"people": 2, "settings": 1},
    }


def test_a_clean_merge_is_committed_at_once(forked: Run) -> None:
    """With two parents and a default message, drawn by the graph."""
    forked("reset", "--hard", "HEAD~1")
    forked("put", "settings", "size", "3")
    forked("commit", "-m", "size")
    told = forked("merge", "feature", "--json").document
    assert (told["status"], told["conflicts"]) == ("merged", 0)
    shown = forked("show", "--json").document
    assert shown["commit"] == told["commit"]
    assert (len(shown["parents"]), shown["message"]) == (2, "Merge feature")
    drawn = forked("log", "--graph", "--oneline").out.splitlines()
    assert drawn[0].startswith("* ")
    assert [line for line in drawn if not any(c.isalnum() for c in line)] == [
        "|\\",
        "|/",
    ]


def test_up_to_date_and_fast_forward(forked: Run) -> None:
    """Where one side is part of the other nothing is merged."""
    ours = head(forked)
    told = forked("merge", "HEAD~1", "--json").document
    assert (told["status"], told["commit"]) == ("up-to-date", ours)
    assert "has all of it already" in forked("merge", "HEAD~1").out
    theirs = forked("show", "feature", "--json").document["commit"]
    forked("branch", "behind", "feature~1")
    forked("switch", "behind")
    would = forked("merge", "feature", "--dry-run")
    assert "would move on to it; nothing was changed" in would.out
    told = forked("merge", "feature", "--json").document
    assert (told["status"], told["commit"]) == ("fast-forward", theirs)
    nothing = forked("merge", "feature", "--explain").out
    assert "nothing was merged" in nothing


def test_a_dry_run_changes_nothing(forked: Run) -> None:
    """It counts conflicts, exits with 1, and leaves a clean state."""
    before = forked("status", "--json").document
    told = forked("merge", "feature", "--dry-run", "--json", code=1).document
    assert (told["status"], told["conflicts"], told["dry_run"]) == (
        "conflicts",
        3,
        True,
    )
    assert "the merge would wait" in forked("merge", "feature", "--dry-run", code=1).out
    assert forked("status", "--json").document == before
    assert forked("conflicts").out == "no conflicts\n"


def test_explain_tells_bases_and_nodes(forked: Run) -> None:
    """Over what it was merged, and how each dataset came about."""
    told = forked("merge", "feature", "--dry-run", "--explain", "--json", code=1)
    explain = told.document["explain"]
    assert explain["bases"] == [forked("show", "main~1", "--json").document["commit"]]
    people = explain["datasets"]["people"]
    assert people["event"] == "merged"
    assert people["records_of_both"] == 3
    text = forked("merge", "feature", "--explain", code=1).out
    assert "people: merged\n" in text
    assert "3 records changed on both sides, in 1 stretch compared" in text


def test_a_policy_for_one_merge(forked: Run) -> None:
    """--policy settles what no policy of a dataset does."""
    forked("merge", "feature", "--policy", "theirs", "-m", "take theirs")
    assert forked("get", "settings", "theme", "--json").document["value"] == "grey"
    assert forked("get", "people", "3", "--json").document["name"] == "Cyd"
    assert forked("show", "--json").document["message"] == "take theirs"


def test_no_commit_leaves_it_to_be_committed(forked: Run) -> None:
    """A merge without conflicts waits too, and its message waits with it."""
    told = forked(
        *("merge", "feature", "--policy", "ours", "--no-commit", "-m", "mine", "--json")
    ).document
    assert (told["status"], told["conflicts"]) == ("prepared", 0)
    assert "commit" not in told
    assert "no conflict is open; next: prolly merge --continue" in forked("status").out
    assert forked("merge", "--continue", "--json").document["status"] == "merged"
    assert forked("show", "--json").document["message"] == "mine"


def test_continue_wants_all_settled(merging: Run) -> None:
    """Open conflicts exit with 1; then it commits, with the message of the merge."""
    refused = merging("merge", "--continue", "--json", code=1)
    assert (refused.error["code"], refused.error["count"]) == ("open-conflicts", 3)
    assert merging("commit", "-m", "x", "--json", code=1).error["count"] == 3
    merging("resolve", "--all", "--ours")
    told = merging("merge", "--continue", "--json").document
    assert told["datasets"] == {"people": {"added": 0, "removed": 0, "modified": 1}}
    shown = merging("show", "--json").document
    assert (shown["message"], len(shown["parents"])) == ("Merge feature", 2)
    assert merging("status", "--json").document["conflicts"] == 0


def test_commit_ends_a_merge_too(merging: Run) -> None:
    """Its message is by default that of the merge; -m gives another."""
    merging("resolve", "--all", "--theirs")
    merging("commit")
    assert merging("show", "--json").document["message"] == "Merge feature"
    merging("reset", "--hard", "HEAD~1")
    merging("merge", "feature", "-m", "early", code=1)
    merging("resolve", "--all", "--theirs")
    merging("commit", "-m", "late")
    assert merging("show", "--json").document["message"] == "late"


def test_abort_gives_the_branch_back(merging: Run) -> None:
    """Everything is as before the merge; a second time there is none."""
    assert merging("merge", "--abort", "--json").document["status"] == "aborted"
    status = merging("status", "--json").document
    assert (status["datasets"], status["conflicts"]) == ({}, 0)
    assert "merging" not in status
    for word in ("--abort", "--continue"):
        refused = merging("merge", word, "--json", code=2)
        assert refused.error["code"] == "no-merge"


def test_status_tells_what_waits(merging: Run) -> None:
    """The commit that is merged, and the open conflicts by dataset."""
    told = merging("status", "--json").document
    theirs = merging("show", "feature", "--json").document["commit"]
    assert (told["conflicts"], told["merging"]) == (3, theirs)
    text = merging("status").out
    assert f"merging {theirs[:12]} theirs\n3 conflicts:\n" in text


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("reset",), "merging"),
        (("reset", "HEAD~1"), "merging"),
        (("stash",), "merging"),
        (("commit", "--amend", "-m", "x"), "merging"),
        (("commit", "-m", "x", "--dataset", "people"), "open-conflicts"),
        (("merge", "feature"), "merging"),
        (("merge", "feature", "--dry-run"), "merging"),
    ],
)
def test_what_is_refused_while_a_merge_waits(
    merging: Run, words: tuple[str, ...], code: str
) -> None:
    """Nothing may drop the other parent of the merge, or mix with it."""
    before = merging("status", "--json").document
    expected = 1 if code == "open-conflicts" else 2
    assert merging(*words, "--json", code=expected).error["code"] == code
    assert merging("status", "--json").document == before


def test_another_branch_is_free_while_a_merge_waits(merging: Run) -> None:
    """switch leaves the merge with its branch, and it is there on return."""
    merging("switch", "feature")
    assert merging("status", "--json").document["conflicts"] == 0
    assert merging("conflicts").out == "no conflicts\n"
    merging("put", "settings", "theme", '"red"')
    merging("commit", "-m", "red")
    merging("switch", "main")
    assert merging("status", "--json").document["conflicts"] == 3


def test_reset_hard_ends_a_merge(merging: Run) -> None:
    """It drops the merge with everything uncommitted."""
    merging("reset", "--hard")
    assert merging("status", "--json").document["datasets"] == {}
    assert merging("merge", "--abort", "--json", code=2).error["code"] == "no-merge"


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("merge",), "usage", 2),
        (("merge", "nowhere"), "no-such-revision", 3),
        (("merge", "feature", "--policy", "best"), "unknown-policy", 2),
        (("merge", "feature", "--abort"), "usage", 2),
        (("merge", "--abort", "--continue"), "usage", 2),
        (("merge", "--abort", "-m", "x"), "usage", 2),
        (("merge", "feature", "--dry-run", "--no-commit"), "usage", 2),
        (("merge", "feature", "-m", "x" * 70_000), "commit-too-long", 2),
        (("resolve", "people", "2", "--ours"), "no-merge", 2),
        (("resolve", "people", "2"), "usage", 2),
        (("conflicts", "import", "first.csv"), "no-merge", 2),
        (("policy", "nothing", "ours"), "no-such-dataset", 3),
        (("policy", "people", "best"), "unknown-policy", 2),
        (("policy", "people", "app:"), "unknown-policy", 2),
        (("policy", "people", "counter", "--column", "name"), "policy-type", 2),
        (("policy", "people", "ours", "--column", "id"), "policy-scope", 2),
        (("policy", "people", "ours", "--column", "no"), "unknown-column", 2),
        (("policy", "settings", "ours", "--column", "x"), "policy-scope", 2),
        (("policy", "people", "ours", "--unset"), "usage", 2),
        (("policy", "people", "--column", "name"), "usage", 2),
        (("policy", "people", "ours", "--at", "HEAD"), "usage", 2),
    ],
)
def test_bad_input_changes_nothing(
    forked: Run, words: tuple[str, ...], code: str, exit_code: int
) -> None:
    """It is refused with a code of its own, and the repository is as it was."""
    before = forked("status", "--json").document
    assert forked(*words, "--json", code=exit_code).error["code"] == code
    assert forked("status", "--json").document == before


def test_a_dirty_state_is_not_merged_into(forked: Run) -> None:
    """What is uncommitted would mix with the merge."""
    forked("put", "settings", "x", "1")
    refused = forked("merge", "feature", "--json", code=2)
    assert refused.error["code"] == "uncommitted"


def test_unrelated_histories_want_a_word(
    forked: Run, tmp_path: Path, write: Callable[..., str]
) -> None:
    """The empty first commit alone is no common history."""
    first = forked("log", "--json").lines[-1]["commit"]
    forked("branch", "island", first)
    forked("switch", "island")
    forked("put", "other", "x", "1")
    forked("commit", "-m", "island")
    refused = forked("merge", "main", "--json", code=2)
    assert refused.error["code"] == "unrelated"
    told = forked("merge", "main", "--allow-unrelated", "--json").document
    assert told["status"] == "merged"


def test_counters_without_a_base_are_named(forked: Run) -> None:
    """Histories that share nothing double what is equal, and a note says where."""
    first = forked("log", "--json").lines[-1]["commit"]
    for name in ("one", "two"):
        forked("branch", name, first)
        forked("switch", name)
        forked("put", "visits", "home", "5")
        forked("put", "plain", "home", "5")
        forked("policy", "visits", "counter")
        forked("commit", "-m", "made anew")
    told = forked("merge", "one", "--allow-unrelated")
    assert "counters of visits were added up without a base" in told.err
    assert forked("get", "visits", "home").out == "10\n"
    forked("reset", "--hard", "HEAD~1")
    forked("policy", "visits", "--unset")
    forked("commit", "-m", "no counter here")
    told = forked("merge", "one", "--allow-unrelated", "--dry-run")
    assert "counters of visits" in told.err


def test_the_last_writer_of_one_merge_is_not_known(forked: Run) -> None:
    """There are no stamps, which a note says; nothing that loses is kept."""
    told = forked("merge", "feature", "--policy", "last-writer-wins")
    assert "finds no stamps" in told.err
    assert "prolly/conflicts" not in forked("ls").out


def test_policies_are_set_listed_and_removed(forked: Run) -> None:
    """By dataset, prefix, column, or column and prefix; they wait in the state."""
    forked("policy", "people", "theirs")
    forked("policy", "people", "max", "--column", "height")
    forked("policy", "settings", "ours", "--prefix", "th")
    forked("policy", "settings", "keep-both", "--prefix", '["a", 1]')
    told = forked("policy", "people", "--json").document
    assert told == {
        "dataset": "people",
        "policies": [
            {"column": None, "prefix": None, "policy": "theirs"},
            {"column": "height", "prefix": None, "policy": "max"},
        ],
    }
    text = forked("policy", "settings").out.splitlines()
    assert sorted(text) == ['keep-both  keys from ["a", 1]', "ours  keys from th"]
    assert (
        forked("policy", "people", "--at", "HEAD", "--json").document["policies"] == []
    )
    forked("commit", "-m", "policies")
    told = forked("merge", "feature", "--json").document
    assert (told["status"], told["conflicts"]) == ("merged", 0)
    row = forked("get", "people", "2", "--json").document
    assert row == {"id": 2, "name": "Bobby", "height": 2.0}
    assert forked("get", "settings", "theme", "--json").document["value"] == "light"
    forked("policy", "people", "--unset")
    forked("policy", "people", "--unset", "--column", "height")
    assert forked("policy", "people", "--json").document["policies"] == []
    assert "no policy" in forked("policy", "people").out


def test_a_policy_that_the_merge_cannot_use_leaves_the_conflict(forked: Run) -> None:
    """A resolver of no application: the conflict stays and says so."""
    forked("policy", "settings", "app:nobody")
    forked("commit", "-m", "policy")
    forked("merge", "feature", "--policy", "ours", code=1)
    [line] = forked("conflicts", "--json").lines
    assert line["dataset"] == "settings"
    assert "nobody" in line["reason"]


def test_profile_tells_what_it_cost(forked: Run) -> None:
    """On standard error: time, chunks and bytes; the data stays as it is."""
    plain = forked("scan", "people")
    told = forked("scan", "people", "--profile")
    assert told.out == plain.out
    assert "prolly: took " in told.err
    assert "prolly: read " in told.err
    as_json = forked("put", "settings", "x", "1", "--profile", "--json")
    costs = json.loads(as_json.err)["profile"]
    assert costs["puts"] > 0
    assert costs["commits"] == 1
    assert set(costs) >= {"seconds", "gets", "get_bytes", "put_bytes", "ref_reads"}


def test_profile_without_a_repository_tells_the_time(run: Run, place: Path) -> None:
    """Also of a command that fails, before its error."""
    failed = run("ls", "--profile", code=3)
    assert failed.err.index("prolly: took ") < failed.err.index("[no-repository]") or (
        "[no-repository]" in failed.err
    )


def test_a_dry_run_lists_the_conflicts_beside_uncommitted_changes(forked: Run) -> None:
    """By dataset, key and fields; what is uncommitted stays and does not matter."""
    forked("put", "settings", "size", "3")
    told = forked("merge", "feature", "--dry-run", code=1).out.splitlines()
    assert "  people 2: name, height" in told
    assert "  people 3" in told
    listed = forked("merge", "feature", "--dry-run", "--json", code=1).document
    assert listed["conflict_keys"][0] == {
        "dataset": "people",
        "key": [2],
        "kind": "record",
        "fields": ["name", "height"],
    }
    assert forked("get", "settings", "size").out == "3\n"


def test_a_merge_commit_where_none_is_needed(forked: Run) -> None:
    """--no-ff makes one; without it notes say what -m and --no-commit did not do."""
    forked("branch", "behind", "feature~1")
    forked("branch", "other", "feature~1")
    forked("switch", "behind")
    forked("merge", "feature", "--no-ff", "-m", "by hand")
    shown = forked("show", "--json").document
    assert (len(shown["parents"]), shown["message"]) == (2, "by hand")
    assert "changed against its first parent" in forked("show").out
    forked("switch", "other")
    told = forked("merge", "feature", "-m", "words", "--no-commit")
    assert "no commit has the message" in told.err
    assert "--no-ff with --no-commit" in told.err


def test_resolvers_that_are_missing_are_told(forked: Run) -> None:
    """Of --policy it is refused; of a dataset's policy a note names them."""
    words = ("merge", "feature", "--policy", "app:nobody", "--json")
    assert forked(*words, code=2).error["code"] == "unknown-policy"
    forked("policy", "settings", "app:nobody")
    forked("commit", "-m", "policy")
    assert "no resolver is called nobody" in forked("merge", "feature", code=1).err


def test_policies_that_differ_are_told(forked: Run) -> None:
    """``status``, ``diff --stat`` and ``show`` say which, from what to what."""
    forked("policy", "people", "max", "--column", "height")
    line = "policy none -> max column height"
    assert line in forked("status").out
    assert line in forked("diff", "--stat").out
    told = forked("status", "--json").document["datasets"]["people"]
    assert told["policies"] == [
        {"column": "height", "prefix": None, "old": None, "new": "max"}
    ]
    forked("commit", "-m", "policy")
    assert line in forked("show").out
    forked("policy", "people", "--unset", "--column", "height")
    assert "policy max -> none column height" in forked("diff", "--stat").out
    refused = forked("policy", "people", "--unset", "--json", code=3)
    assert refused.error["code"] == "no-such-policy"


def test_the_branch_on_which_a_merge_waits_is_named(merging: Run) -> None:
    """By ``switch`` when it is left, and where a merge is to be ended elsewhere."""
    assert "a merge waits on main" in merging("switch", "feature").err
    for words in (("merge", "--continue"), ("merge", "--abort"), ("resolve", "-i")):
        told = merging(*words, code=2)
        assert "A merge waits on main" in told.err


def test_what_policies_settled_is_counted(forked: Run) -> None:
    """By policy: records of a map, cells of a table, rows that one side deleted."""
    words = ("merge", "feature", "--policy", "theirs", "--dry-run")
    assert "people: settled by policy: theirs 3" in forked(*words).out
    told = forked(*words, "--explain", "--json").document["explain"]["datasets"]
    assert told["people"]["settled"] == {"theirs": 3}
    assert told["settings"]["settled"] == {"theirs": 1}


def test_an_import_that_cannot_be_committed_writes_nothing(
    merging: Run, place: Path
) -> None:
    """While conflicts are open -m is refused before the files are read."""
    merging("export", "people", "people.csv")
    before = merging("status", "--json").document
    words = ("import", "people", "people.csv", "-m", "again", "--json")
    refused = merging(*words, code=1)
    assert refused.error["code"] == "open-conflicts"
    assert merging("status", "--json").document == before
