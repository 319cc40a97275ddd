"""What the tests of the command line share: a repository, and three ways to run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from prolly_cli.main import cli

# A process that takes longer than this has hung.
PROCESS_SECONDS_MAX = 60


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The JSON documents on standard output, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> Any:
        """The error object on standard error."""
        return json.loads(self.err)["error"]


Run = Callable[..., Answer]


def runner(place: Path) -> Run:
    """Return what runs a command in a directory, in this process."""

    def run(*words: object, code: int = 0, stdin: bytes = b"") -> Answer:
        texts = ["-C", str(place), *map(str, words)]
        result = CliRunner().invoke(cli, texts, input=stdin)
        answer = Answer(result.exit_code, result.stdout, result.stderr)
        assert answer.code == code, f"prolly {' '.join(texts)}\n{answer.err}"
        return answer

    return run


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The directory that a repository is made in."""
    return tmp_path / "place"


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``prolly -C PLACE WORDS...`` in this process; ``code`` is what must come."""
    monkeypatch.setenv("PROLLY_AUTHOR", "Ada")
    # Whoever runs the tests may have a width; a pipe has none.
    monkeypatch.delenv("COLUMNS", raising=False)
    place.mkdir(exist_ok=True)

    return runner(place)


@pytest.fixture
def run_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Run]:
    """Return what runs commands in any directory, which is made."""
    monkeypatch.setenv("PROLLY_AUTHOR", "Ada")

    def run_in(directory: Path) -> Run:
        directory.mkdir(parents=True, exist_ok=True)
        return runner(directory)

    return run_in


@pytest.fixture
def repository(run: Run, place: Path) -> Path:
    """A new repository, and its directory."""
    run("init")
    return place


@pytest.fixture
def write(place: Path) -> Callable[..., str]:
    """Write a small file beside the repository and return its name."""

    def write(name: str, *lines: str) -> str:
        place.mkdir(exist_ok=True)
        (place / name).write_text("".join(f"{line}\n" for line in lines))
        return name

    return write


@pytest.fixture
def people(run: Run, repository: Path, write: Callable[..., str]) -> Run:
    """A repository with the table ``people`` in two commits; returns ``run``.

    The second adds 4, removes 3 and modifies 2.
    """
    first = write("first.csv", "id,name,height", "1,Ada,1.6", "2,Bob,1.8", "3,Cy,1.7")
    second = write("second.csv", "id,name,height", "1,Ada,1.6", "2,Bo,1.9", "4,Di,1.5")
    run("import", "people", first, "--key", "id", "-m", "first")
    run("import", "people", second, "-m", "second")
    return run


def program(root: Path) -> list[str]:
    """Return the words that run the program in a process of its own."""
    code = (
        f"import sys; sys.path[:0] = [{str(root)!r}, {str(root / 'cli')!r}];"
        "from prolly_cli.main import main; sys.exit(main())"
    )
    return [sys.executable, "-c", code]


@pytest.fixture
def start(root: Path, place: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Start ``prolly WORDS...`` in PLACE as a process of its own."""

    def start(*words: object, **settings: Any) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PROLLY_AUTHOR": "Ada", **settings.pop("env", {})}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
        command = [*program(root), *map(str, words)]
        return subprocess.Popen(command, cwd=place, env=environment, **streams)

    return start


def fork(run: Run, place: Path) -> None:
    """Make a repository whose branches main and feature clash; see ``forked``."""
    lines = ["id,name,height", "1,Ada,1.6", "2,Bob,1.8", "3,Cy,1.7", ""]
    (place / "first.csv").write_text("\n".join(lines))
    run("init")
    run("import", "people", "first.csv", "--key", "id")
    run("put", "settings", "theme", '"dark"')
    run("commit", "-m", "first")
    run("branch", "feature")
    run("put", "people", "1", '{"height": 1.61}', "--update")
    run("put", "people", "2", '{"name": "Bo", "height": 1.9}')
    run("delete", "people", "3")
    run("put", "settings", "theme", '"light"')
    run("commit", "-m", "ours")
    run("switch", "feature")
    run("put", "people", "1", '{"name": "Ada L"}', "--update")
    run("put", "people", "2", '{"name": "Bobby", "height": 2.0}')
    run("put", "people", "3", '{"name": "Cyd"}', "--update")
    run("put", "settings", "theme", '"grey"')
    run("commit", "-m", "theirs")
    run("switch", "main")


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two repositories to be copied: the fork, and the fork with its merge begun."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROLLY_AUTHOR", "Ada")
        for name in ("forked", "merging"):
            place = tmp_path_factory.mktemp(name) / "place"
            place.mkdir()
            if name == "forked":
                fork(runner(place), place)
            else:
                shutil.copytree(found["forked"], place, dirs_exist_ok=True)
                runner(place)("merge", "feature", code=1)
            found[name] = place
    return found


@pytest.fixture
def forked(run: Run, place: Path, templates: dict[str, Path]) -> Run:
    """A repository whose branches main and feature clash; returns ``run``.

    Table ``people``: 1 merges field by field, 2 clashes in two fields, 3 is deleted by
    main and changed by feature. Map ``settings``: theme clashes. The branch is main.
    """
    shutil.copytree(templates["forked"], place, dirs_exist_ok=True)
    return run


@pytest.fixture
def merging(run: Run, place: Path, templates: dict[str, Path]) -> Run:
    """The same with the merge begun: three conflicts wait."""
    shutil.copytree(templates["merging"], place, dirs_exist_ok=True)
    return run
