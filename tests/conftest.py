"""What all tests share: hypothesis profiles, the project's files, parsed sources."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# Deadlines are clocks, and a loaded machine breaks them. The usual profile repeats the
# same examples in every run, so that a failure is about the change at hand, and few of
# them: a third of the time goes into these tests. `make long` looks further and at
# random, and keeps what it finds.
hypothesis.settings.register_profile(
    "house", deadline=None, derandomize=True, print_blob=True, max_examples=60
)
hypothesis.settings.register_profile(
    "long", deadline=None, max_examples=1000, print_blob=True
)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def kept_bytecode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let child processes keep their byte code, where the environment says not to.

    Some hundred tests start a command, and compiling all of prolly is most of what a
    command without byte code does. It is kept apart from the sources.
    """
    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):
            patch.delenv("PYTHONDONTWRITEBYTECODE")
            base = tmp_path_factory.getbasetemp()
            # The processes of one run share it; each has a directory in one of all.
            place = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
            patch.setenv("PYTHONPYCACHEPREFIX", str(place / "bytecode"))
        yield


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root of the project, text and syntax tree."""

    path: Path
    text: str
    tree: ast.Module = field(repr=False)

    @property
    def parts(self) -> tuple[str, ...]:
        """The path without its suffix: ("prolly", "tree", "cursor")."""
        return self.path.with_suffix("").parts

    @property
    def name(self) -> str:
        """The path as text, for messages."""
        return self.path.as_posix()


def _parsed(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(path.relative_to(ROOT), text, ast.parse(text))


@pytest.fixture(scope="session")
def root() -> Path:
    """The root directory of the project."""
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Every Python file of the project, in order of their paths."""
    places = ("prolly", "cli", "tests", "benchmarks")
    paths = [path for place in places for path in (ROOT / place).rglob("*.py")]
    return [_parsed(path) for path in sorted(paths)]


@pytest.fixture(scope="session")
def airports(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """A function from a release, such as "20240806", to its CSV file."""
    import tarfile

    place = tmp_path_factory.mktemp("airports")

    def release(name: str) -> Path:
        path = place / f"airports-{name}.csv"
        if not path.exists():
            packed = root / "tests" / "data" / "airports" / "releases.tar.xz"
            with tarfile.open(packed) as archive:
                archive.extractall(place, filter="data")
        return path

    return release
