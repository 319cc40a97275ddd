"""No plain file is written over by its own command, and hints name its options."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from prolly_cli.file_words import refuse_overwriting

Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("target", "others", "is_refused"),
    [
        ("a.csv", ["b.csv", "a.csv"], True),
        ("link.csv", ["a.csv"], True),
        ("hard.csv", ["a.csv"], True),
        ("new.csv", ["./new.csv"], True),
        ("a.csv", ["a.csv:prices"], True),
        ("new.csv", ["a.csv", "b.csv"], False),
        (os.devnull, [os.devnull], False),
        ("a.csv", [":", "", "x\0y"], False),
    ],
)
def test_one_file_under_two_names(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    others: list[str],
    is_refused: bool,
) -> None:
    """Links are the same file, and so is one that is not there yet; devices are not."""
    monkeypatch.chdir(tmp_path)
    Path("a.csv").touch()
    Path("b.csv").touch()
    Path("link.csv").symlink_to("a.csv")
    Path("hard.csv").hardlink_to("a.csv")
    try:
        refuse_overwriting("-o", target, others)
    except click.UsageError as error:
        assert is_refused
        assert target in error.message
    else:
        assert not is_refused


def test_a_diff_is_not_written_over_what_it_compares(
    run: Run, write: Callable[..., str], place: Path
) -> None:
    """Nor is a file of tabs advised to be read by the option of the answer."""
    write("a.csv", "id,name", "1,Ada")
    write("b.csv", "id,name", "1,Bob")
    write("tabs.csv", "id\tname", "1\tBob")
    answer = run("diff", "a.csv", "b.csv", "--key", "id", "-o", "b.csv", code=2)
    assert "-o" in answer.err
    assert (place / "b.csv").read_text() == "id,name\n1,Bob\n"
    answer = run("diff", "a.csv", "tabs.csv", "--key", "id", code=2)
    assert "`--input-format tsv`" in answer.err
    answer = run("merge-file", *["tabs.csv"] * 3, "--key", "id", code=129)
    assert "`--input-format tsv`" in answer.err
