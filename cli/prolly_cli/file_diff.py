"""``prolly diff`` of two plain files, typed by a person or handed over by git."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

import click

from .diff_text import Layout, print_changes, print_counts
from .file_words import hints_of_input_format, refuse_overwriting
from .invocation import Invocation
from .key_option import key_columns
from .output import Output, visible
from .page_option import printing

# What git gives the program that compares: path, then file, id and mode of each side.
GIT_WORDS = 7

# A renamed file has its new path and git's words about the renaming behind them.
GIT_WORDS_RENAMED = 9


def diff_files(
    invocation: Invocation, words: Sequence[str], layout: Layout, how: dict[str, Any]
) -> bool:
    """Print what differs between two files; return whether anything does."""
    from prolly.ops import compare_files

    if len(words) != 2:
        raise click.UsageError(f"--key compares two files, not {len(words)}")
    old, new = map(invocation.path, words)
    if how["target"] not in (None, "-"):
        refuse_overwriting("-o", invocation.path(how["target"]), (old, new))
    with hints_of_input_format():
        comparison = compare_files(
            old,
            new,
            key=key_columns(how["key"]),
            format_name=how["input_format"],
            name=words[0] if words[1] == os.devnull else words[1],
        )
    return _print(invocation, comparison, layout, how)


def git_diff(
    invocation: Invocation, words: Sequence[str], layout: Layout, how: dict[str, Any]
) -> bool:
    """Print what differs between two versions of a file that git hands over.

    What does not compare by key is compared by lines, so that git goes on.
    """
    from prolly.errors import Invalid, LimitExceeded
    from prolly.ops import compare_files, format_of_name

    output = invocation.output
    if len(words) == 1:
        output.line(f"{visible(words[0])} is unmerged")
        return False
    if len(words) not in (GIT_WORDS, GIT_WORDS_RENAMED):
        raise click.UsageError(
            f"git gives {GIT_WORDS} words, not {len(words)}: set the driver's command "
            "to `prolly diff --git-driver --key COLUMN`"
        )
    path, old, new = words[0], *map(invocation.path, (words[1], words[4]))
    renamed = words[7] if len(words) == GIT_WORDS_RENAMED else path
    try:
        comparison = compare_files(
            old,
            new,
            key=key_columns(how["key"]),
            format_name=how["input_format"] or format_of_name(path),
            name=renamed,
        )
    except (Invalid, LimitExceeded) as error:
        output.line(f"{visible(renamed)}: {visible(error.message)}; by lines:")
        return _lines_differ(output, old, new)
    return _print(invocation, comparison, layout, how)


def _print(
    invocation: Invocation, comparison: Any, layout: Layout, how: dict[str, Any]
) -> bool:
    output = invocation.output
    show = print_counts if how["stat"] else print_changes
    with comparison, printing(invocation, how["target"]):
        return show(output, comparison, (None, (None, None)), layout)


def _lines_differ(output: Output, old: str, new: str) -> bool:
    """Let git compare two files by lines."""
    git = shutil.which("git") or "git"
    command = [git, "diff", "--no-index", "--no-ext-diff", "--no-textconv"]
    stream = output.stream()
    found = subprocess.run(
        [*command, "--", old, new], stdout=subprocess.PIPE, check=False
    )
    stream.write(found.stdout)
    stream.flush()
    return bool(found.returncode)
