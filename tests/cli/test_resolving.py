"""Settling at the command line: keeping, settling anew, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from prolly_cli.conflict_columns import fitted_row

import prolly

Run = Callable[..., Any]


def test_sides_exclude_each_other(merging: Run) -> None:
    """Two of the options that name what stands are refused."""
    for words in (("--ours", "--theirs"), ("--base", "--keep"), ("--keep", "-i")):
        told = merging("resolve", "people", "2", *words, "--json", code=2)
        assert told.error["code"] == "usage"


def test_a_field_is_settled_in_all_rows(merging: Run) -> None:
    """Without KEY a field goes one way wherever it clashes; the rest stays open."""
    words = "resolve", "people", "--theirs", "--field", "name"
    assert "settled 1 conflict\n" in merging(*words).out
    left = [(one["key"], one["fields"]) for one in merging("conflicts", "--json").lines]
    assert left == [([2], ["height"]), ([3], []), (["theme"], [])]
    row = merging("get", "people", "2", "--json").document
    assert row == {"id": 2, "name": "Bobby", "height": 1.9}
    assert "nothing was open" in merging(*words).err
    merging("resolve", "people", "--ours", "--field", "height", "--field", "name")
    assert merging("conflicts", "people", "--json").lines[0]["key"] == [3]


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
    """--full shows each side on a line of its own, whole; a pipe does so unasked."""
    long = "x" * 500
    merging("merge", "--abort")
    merging("put", "settings", "theme", f'"{long}"')
    merging("commit", "-m", "long")
    merging("merge", "feature", code=1)
    for words in (("conflicts",), ("conflicts", "--full")):
        assert f'    ours    "{long}"' in merging(*words).out.splitlines()
    assert "  name    Bob   Bo    Bobby" in merging("conflicts").out.splitlines()


def test_long_values_are_cut_where_they_differ() -> None:
    """What ours and theirs have in common is left out, never where they differ."""
    same = "x" * 90
    told = fitted_row([f"{same}a", f"{same}b", f"{same}c"], [20, 20, 20])
    assert [one.strip() for one in told] == [f"…{'x' * 18}{end}" for end in "abc"]
    told = fitted_row(["y" * 95, f"{same}b", f"{same}c"], [12, 12, 12])
    assert told == ["y" * 11 + "…", "…xxxxxxxxxxb", "…xxxxxxxxxxc"]
    assert len({one[-1] for one in fitted_row([same, same, "x"], [9, 9, 9])}) == 2
    for text in (same + "b", "a", ""):
        for width in (8, 9, 30):
            told = fitted_row([text, same + "c", same], [width] * 3)
            assert [len(one) for one in told] == [width] * 3
            assert told[0] != told[1]


def test_parts_that_one_side_lacks_show_what_differs(
    run: Run, repository: Path
) -> None:
    """Of a column that both added only that in which the two differ."""
    repo = prolly.open(repository)
    with repo.transaction("main", message="base") as tx:
        tx.table("t", key="id").upsert({"id": 1})
    repo.create_branch("feature")
    for branch, fill in (("main", 1), ("feature", 2)):
        with repo.transaction(branch, message="mine") as tx:
            tx.table("t").alter().add_column("k", "int", fill=fill)
    repo.close()
    run("merge", "feature", code=1)
    lines = run("conflicts", "t").out.splitlines()
    assert [one.split() for one in lines if one.startswith("  ")][-2:] == [
        ["base", "ours", "theirs"],
        ["fill", "(none)", "1", "2"],
    ]


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


def test_the_dialog_says_where_it_is_and_what_else_the_row_holds(merging: Run) -> None:
    """A number for each, the cells that do not clash, all of it, and help."""
    told = merging("resolve", "people", "-i", stdin=b"?\nf\ns\ns\n")
    assert "1 of 2\n" in told.out and "2 of 2\n" in told.out
    assert "\n  id 2\n" in told.out
    assert "    theirs  Bobby" in told.out.splitlines()
    assert "  delete  the record goes" in told.err.splitlines()


def test_the_dialog_offers_what_settles(run: Run, repository: Path) -> None:
    """Of a part of a schema only sides that can be taken; others get a hint."""
    repo = prolly.open(repository)
    with repo.transaction("main", message="base") as tx:
        tx.table("t", key="id").upsert({"id": 1, "n": 1})
    repo.create_branch("feature")
    for branch, kind in (("main", "text"), ("feature", "decimal")):
        with repo.transaction(branch, message="mine") as tx:
            tx.table("t").alter().widen_column("n", kind)
    repo.close()
    run("merge", "feature", code=1)
    told = run("resolve", "-i", stdin=b"t\ne\n?\no\n")
    assert "[o]urs, [k]eep, [f]ull, [s]kip, [q]uit, [?]: " in told.err
    assert told.err.count("prolly schema --set") == 2
    assert "theirs" not in told.err
    assert "settled 1 conflict" in told.out


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


def test_a_key_that_was_forced_is_settled_as_it_is_listed(
    run: Run, repository: Path
) -> None:
    """By its key, as an array and by a sheet; the row that has it now is another."""
    repo = prolly.open(repository)
    with repo.transaction("main", message="base") as tx:
        table = tx.table("t", key="id")
        table.load({"id": f"{one:03}", "title": "old"} for one in (7, 8, 9))
    repo.create_branch("feature")
    with repo.transaction("main", message="ours") as tx:
        tx.table("t").alter(force=True).widen_column("id", "int")
    with repo.transaction("feature", message="theirs") as tx:
        tx.table("t").patch("007", {"title": "seven"})
        tx.table("t").patch("009", {"title": "nine"})
        tx.table("t").delete("008")
    repo.close()
    run("merge", "feature", code=1)
    assert "ours has it as 7, theirs changed title" in run("conflicts").out
    assert run("conflicts", "--json").lines[0]["facts"] == {"stands_as": [7]}
    refused = run("resolve", "t", "007", "--theirs", "--json", code=2)
    assert refused.error["code"] == "settle-by-hand"
    run("resolve", "t", "7", "--keep", code=3)
    run("resolve", "t", "007", "--keep")
    run("resolve", "t", '["009"]', "--ours")
    run("resolve", "t", "8", "--ours")
    run("conflicts", "export", "sheet.csv", "--all")
    run("merge", "--abort")
    run("merge", "feature", code=1)
    run("conflicts", "import", "sheet.csv")
    run("merge", "--continue")
