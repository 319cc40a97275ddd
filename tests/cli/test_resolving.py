"""Settling at the command line: keeping, settling anew, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import prolly

Run = Callable[..., Any]


def test_sides_exclude_each_other(merging: Run) -> None:
    """Two of the options that name what stands are refused."""
    for words in (("--ours", "--theirs"), ("--base", "--keep"), ("--keep", "-i")):
        told = merging("resolve", "people", "2", *words, "--json", code=2)
        assert told.error["code"] == "usage"


def test_an_edit_of_what_is_in_conflict_is_kept(merging: Run) -> None:
    """``put`` and ``delete`` say that it is open still; --keep settles it so."""
    told = merging("put", "settings", "theme", '"blue"')
    assert "prolly resolve settings theme --keep" in told.err
    merging("resolve", "settings", "theme", "--keep")
    assert merging("get", "settings", "theme").out == '"blue"\n'
    assert "--keep" in merging("delete", "people", "2").err
    assert merging("put", "settings", "theme", '"grey"').err == ""
    merging("resolve", "people", "--keep")
    merging("merge", "--continue")


def test_nothing_is_cut_with_full(merging: Run) -> None:
    """--full shows each side on a line of its own, whole."""
    long = "x" * 500
    merging("merge", "--abort")
    merging("put", "settings", "theme", f'"{long}"')
    merging("commit", "-m", "long")
    merging("merge", "feature", code=1)
    assert long not in merging("conflicts").out
    assert f'    ours    "{long}"' in merging("conflicts", "--full").out.splitlines()


def test_what_deleted_and_changed_means_is_said(merging: Run) -> None:
    """Of a row that one side deleted the whole is in conflict, and it says why."""
    lines = merging("conflicts", "people").out
    assert "ours deleted it, theirs changed name" in lines
    assert "the whole record is in conflict" in lines
    told = merging("resolve", "people", "3", "--ours", "--field", "name", code=3)
    assert "whole record" in told.err
    told = merging("resolve", "people", "2", "--ours", "--field", "nam", code=3)
    assert "name, height" in told.err


def test_the_dialog_understands_words_and_says_what_it_does_not(merging: Run) -> None:
    """``-i`` alone asks about all; a word that is no answer is told."""
    told = merging("resolve", "-i", stdin=b"yes\nours\nk\nq\n")
    assert "'yes' is no answer" in told.err
    assert "settled 2 conflicts" in told.out


def test_all_conflicts_go_into_a_sheet(merging: Run, place: Path) -> None:
    """``export --all`` brings settlements back into a merge begun anew."""
    merging("resolve", "people", "2", "--theirs")
    merging("conflicts", "export", "all.csv", "--all")
    merging("merge", "--abort")
    merging("merge", "feature", code=1)
    assert "took 2 lines" in merging("conflicts", "import", "all.csv").out
    assert merging("get", "people", "2", "--json").document["name"] == "Bobby"


def test_a_blob_is_settled_again(forked: Run, place: Path) -> None:
    """Its one conflict has no key, and takes another side all the same."""
    forked("reset", "--hard", "HEAD~1")
    repo = prolly.open(place)
    for branch, text in (("main", b"1"), ("feature", b"2")):
        with repo.transaction(branch) as tx, tx.blob("big", "wb") as blob:
            blob.write(text)
    repo.close()
    forked("merge", "feature", code=1)
    for side in ("--theirs", "--ours", "--keep"):
        assert "settled 1 conflict" in forked("resolve", "big", side).out


def test_parts_of_a_schema_show_what_differs(run: Run, repository: Path) -> None:
    """Before the records, the policy by its column's name, and only what differs."""
    repo = prolly.open(repository)
    with repo.transaction("main", message="base") as tx:
        tx.table("t", key="id").upsert({"id": 1, "note": 1, "size": 1})
        tx.set_policy("t", "max", column="size")
    repo.create_branch("feature")
    for branch, kind, policy in (
        ("main", "text", "min"),
        ("feature", "decimal", "ours"),
    ):
        with repo.transaction(branch, message="mine") as tx:
            tx.table("t").alter().widen_column("note", kind)
            tx.set_policy("t", policy, column="size")
            tx.table("t").upsert({"id": 1, "note": None, "size": len(kind)})
    repo.close()
    run("merge", "feature", code=1)
    lines = run("conflicts").out.splitlines()
    assert '  type  "int"  "text"  "decimal"' in lines
    assert not [line for line in lines if line.startswith("  nullable")]
    assert "  the policy of column size" in "\n".join(lines)
    kinds = [one["kind"] for one in run("conflicts", "--json").lines]
    assert kinds == sorted(kinds, key=("schema", "record", "constraint").index)
    facts = [one["facts"] for one in run("conflicts", "--json").lines if "facts" in one]
    assert {"column": "size", "prefix": None} in facts
    run("resolve", "t", "--schema", "column note", "--theirs", code=2)
    run("resolve", "t", "--schema", "column note", "--keep")


def test_a_broken_rule_is_named(run: Run, repository: Path) -> None:
    """With the rule and the other record, for people, as JSON and in the sheet."""
    repo = prolly.open(repository)
    with repo.transaction("main", message="base") as tx:
        tx.table("t", key="id").upsert({"id": 1, "mail": "a"})
        tx.table("t").alter().add_index("mail", ["mail"], unique=True)
    repo.create_branch("feature")
    for branch, number in (("main", 2), ("feature", 3)):
        with repo.transaction(branch, message="mine") as tx:
            tx.table("t").insert({"id": number, "mail": "b"})
    repo.close()
    run("merge", "feature", code=1)
    assert "index mail, together with 2 of 't'" in run("conflicts").out
    [told] = run("conflicts", "--json").lines
    assert told["facts"] == {"constraint": "index mail", "other_key": [2]}
    run("conflicts", "export", "sheet.csv")
    assert "index mail, together with 2" in (repository / "sheet.csv").read_text()
    run("resolve", "t", "3", "--value", '{"mail": "c"}')
    assert run("get", "t", "3", "--json").document == {"id": 3, "mail": "c"}
