"""git asks prolly to compare and merge CSV files, as docs/guide/git.md sets it up."""

from __future__ import annotations

import os
import random
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import program

EDITS = 1_000
CLASHES = 7

Git = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def git(root: Path, tmp_path: Path) -> Git:
    """Run git in a new repository, with prolly for files of the suffix .csv."""
    place = tmp_path / "repository"
    place.mkdir()
    hidden = {name for name in os.environ if name.startswith("GIT_")}
    settings = {name: os.environ[name] for name in os.environ.keys() - hidden}
    settings |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(tmp_path),
        "LC_ALL": "C",
    }
    for name in ("AUTHOR", "COMMITTER"):
        settings |= {f"GIT_{name}_NAME": "Ada", f"GIT_{name}_EMAIL": "a@example.org"}

    def git(*words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        found = subprocess.run(
            ["git", *words],
            cwd=place,
            env=settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert code in (None, found.returncode), (
            f"git {' '.join(words)}\n{found.stderr}"
        )
        return found

    prolly = " ".join(map(shlex.quote, program(root)))
    git("init", "--quiet", "--initial-branch", "main")
    merge = "merge-file %A %O %B --key icao --input-format csv -o %A --name %P"
    git("config", "merge.by-icao.driver", f"{prolly} {merge}")
    git("config", "diff.by-icao.command", f"{prolly} diff --git-driver --key icao")
    return git


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The directory of the repository."""
    return tmp_path / "repository"


def store(git: Git, place: Path, name: str, data: bytes, message: str) -> None:
    """Commit a file."""
    (place / name).write_bytes(data)
    git("add", "--all")
    git("commit", "--quiet", "-m", message)


def edited(
    lines: list[bytes], numbers: list[int], column: int, word: bytes
) -> list[bytes]:
    """Return lines of which some have another cell."""
    found = list(lines)
    for number in numbers:
        cells = found[number].split(b",")
        cells[column] = word
        found[number] = b",".join(cells)
    return found


@pytest.fixture(scope="module")
def lines(airports: Callable[[str], Path]) -> list[bytes]:
    """The lines of a release of airports, which has some 28,000."""
    return airports("20260803").read_bytes().splitlines(keepends=True)


def fork(
    git: Git, place: Path, lines: list[bytes], sides: tuple[list[bytes], list[bytes]]
) -> None:
    """Make a branch ``theirs`` and end on ``main``, each with its side."""
    attributes = "*.csv merge=by-icao diff=by-icao\n"
    (place / ".gitattributes").write_text(attributes)
    store(git, place, "a.csv", b"".join(lines), "base")
    git("switch", "--quiet", "-c", "theirs")
    store(git, place, "a.csv", b"".join(sides[1]), "theirs")
    git("switch", "--quiet", "main")
    store(git, place, "a.csv", b"".join(sides[0]), "ours")


def test_a_thousand_edits_a_side_merge(
    git: Git, place: Path, lines: list[bytes]
) -> None:
    """Where git alone stops; each line that nobody edited is what it was."""
    draw = random.Random(1)
    plain = [i for i in range(1, len(lines)) if lines[i].count(b",") == 10]
    mine = draw.sample(plain, EDITS)
    # Half of theirs in rows of ours: git stops at every one of these.
    other = [*mine[: EDITS // 2], *draw.sample(sorted({*plain} - {*mine}), EDITS // 2)]
    ours = edited(lines, mine, 6, b"12345")
    theirs = edited(lines, other, 3, b'"Somewhere"')
    fork(git, place, lines, (ours, theirs))
    git("-c", "merge.by-icao.driver=false", "merge", "theirs", code=1)
    git("merge", "--abort")
    git("merge", "--quiet", "-m", "both", "theirs")
    merged = (place / "a.csv").read_bytes()
    assert merged == b"".join(edited(ours, other, 3, b'"Somewhere"'))
    assert git("status", "--porcelain").stdout == ""


def test_true_clashes_stop_it(git: Git, place: Path, lines: list[bytes]) -> None:
    """Seven of them, marked; all else is merged, and git knows of the conflict."""
    draw = random.Random(2)
    plain = [i for i in range(1, len(lines)) if lines[i].count(b",") == 10]
    numbers = sorted(draw.sample(plain, 100))
    mine, other = numbers[:60], numbers[60 - CLASHES :]
    ours = edited(lines, mine, 6, b"12345")
    theirs = edited(lines, other, 6, b"54321")
    fork(git, place, lines, (ours, theirs))
    found = git("merge", "theirs", code=1)
    assert "CONFLICT (content): Merge conflict in a.csv" in found.stdout
    assert f"{CLASHES} conflicts in a.csv" in found.stderr
    merged = (place / "a.csv").read_bytes().splitlines(keepends=True)
    starts = [i for i, line in enumerate(merged) if line.startswith(b"<<<<<<< ours,")]
    assert len(starts) == CLASHES
    for start in starts:
        block = merged[start : start + 7]
        assert block[2].startswith(b"||||||| base,")
        assert block[4].startswith(b"||||||| theirs,")
        assert block[6].startswith(b">>>>>>> end,")
        cells = [row.split(b",") for row in (block[1], block[5])]
        assert [row[6] for row in cells] == [b"12345", b"54321"]
    for start in reversed(starts):
        merged[start : start + 7] = [merged[start + 1]]
    expected = edited(ours, other[CLASHES:], 6, b"54321")
    assert merged == expected
    assert git("diff", "--check", code=2).stdout.count("leftover conflict marker") > 0
    (place / "a.csv").write_bytes(b"".join(merged))
    git("commit", "--quiet", "--all", "-m", "settled")


def test_an_error_leaves_the_file(git: Git, place: Path) -> None:
    """Git says that the merge failed, and ours stands as it was."""
    lines = [b"icao,v\n", b"A,1\n", b"B,1\n"]
    ours, theirs = [*lines, b"A,2\n"], [*lines[:2], b"B,2\n"]
    fork(git, place, lines, (ours, theirs))
    # Releases of git differ in what they make of 129; none takes it for merged.
    found = git("merge", "theirs", code=None)
    assert found.returncode > 0
    assert "a.csv (ours): the key 'A' stands on lines 2 and 4" in found.stderr
    assert (place / "a.csv").read_bytes() == b"".join(ours)
    assert b"<<<<" not in (place / "a.csv").read_bytes()


def test_a_kill_leaves_the_file(git: Git, place: Path, root: Path) -> None:
    """Killed when all is written but not in place: no merge, and ours stands whole."""
    lines = [b"icao,v\n", b"A,1\n", b"B,1\n"]
    ours, theirs = [*lines, b"C,1\n"], [*lines[:2], b"B,2\n"]
    fork(git, place, lines, (ours, theirs))
    [python, option, code] = program(root)
    dying = f"import os; os.fsync = lambda _: os.kill(os.getpid(), 9); {code}"
    words = " ".join(map(shlex.quote, (python, option, dying)))
    usual = git("config", "merge.by-icao.driver").stdout.strip()
    arguments = usual[usual.index("merge-file") :]
    git("config", "merge.by-icao.driver", f"{words} {arguments}")
    assert git("merge", "theirs", code=None).returncode > 0
    assert (place / "a.csv").read_bytes() == b"".join(ours)
    git("config", "merge.by-icao.driver", usual)
    git("reset", "--quiet", "--merge")
    git("merge", "--quiet", "-m", "both", "theirs")
    merged = b"icao,v\nA,1\nB,2\nC,1\n"
    assert (place / "a.csv").read_bytes() == merged
    assert sorted(os.listdir(place)) == [".git", ".gitattributes", "a.csv"]


def test_both_sides_add_the_file(git: Git, place: Path) -> None:
    """The base is then an empty file."""
    fork(git, place, [b"icao\n"], ([b"icao\n", b"A\n"], [b"icao\n", b"B\n"]))
    git("switch", "--quiet", "theirs")
    store(git, place, "new.csv", b"icao,v\nB,1\nD,1\n", "theirs")
    git("switch", "--quiet", "main")
    store(git, place, "new.csv", b"icao,v\nA,1\nB,1\n", "ours")
    git("merge", "--quiet", "-m", "both", "theirs")
    assert (place / "new.csv").read_bytes() == b"icao,v\nA,1\nB,1\nD,1\n"


def test_differences_are_by_row(git: Git, place: Path) -> None:
    """In git diff, of new and deleted files too, and in the history."""
    (place / ".gitattributes").write_text("*.csv diff=by-icao\n")
    store(git, place, "a.csv", b"icao,v\nA,1\nB,1\n", "first")
    store(git, place, "b.csv", b"icao,v\nC,1\n", "second")
    (place / "a.csv").write_bytes(b"icao,v\nB,2\nA,1\n")
    (place / "b.csv").unlink()
    shown = git("diff").stdout
    assert "a.csv" in shown
    assert "1 modified" in shown
    assert "(dropped)" in shown
    assert "@@" not in shown
    log = git("log", "-p", "--ext-diff", "-1").stdout
    assert "(created)" in log


def test_what_does_not_compare_by_key_is_shown_by_lines(git: Git, place: Path) -> None:
    """So git diff ends well."""
    (place / ".gitattributes").write_text("*.csv diff=by-icao\n")
    store(git, place, "a.csv", b"id,v\nA,1\n", "first")
    store(git, place, "b.csv", b"icao,v\nA,1\n", "second")
    (place / "a.csv").write_bytes(b"id,v\nA,2\n")
    (place / "b.csv").write_bytes(b"icao,v\nA,2\n")
    shown: Any = git("diff").stdout
    assert "no column 'icao'" in shown
    assert "+A,2" in shown
    assert "1 modified" in shown
