"""Starting stays cheap: what is loaded is counted, since seconds are not to be trusted.

Each figure is what it takes today and some room. Whoever goes past one finds out first
what was loaded, and whether it could wait: ``python -X importtime`` shows most of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import prolly

LOADED = """
import sys
before = set(sys.modules)
try:
    exec(sys.argv.pop())
except SystemExit:
    pass
print("\\n" + " ".join(sorted(set(sys.modules) - before)))
"""

READ = "import prolly; prolly.open({!r}).at('main').map('m')['k']"
READ_ROW = "import prolly; prolly.open({!r}).at('main').table('rows').get(1)"
WRITE = """
import prolly
with prolly.open({!r}).transaction('main', message='more') as tx:
    tx.map('m')['other'] = 1
"""
WRITE_ROW = """
import prolly
with prolly.open({!r}).transaction('main', message='more') as tx:
    tx.table('t', key='id').upsert({{'id': 1, 'name': 'x'}})
"""
COMMAND = """
import sys
sys.argv = ['prolly', '-C', {!r}, {!r}]
from prolly_cli.main import main
main()
"""

# What the standard library takes long to load, and what none of these needs.
SLOW = {"tempfile", "importlib.metadata", "zipfile", "json", "subprocess", "logging"}

# As much, and what maps of plain values do without: data classes are written and
# compiled at each start, and dates, decimals, ids and paths load others in turn.
SPARED = {"dataclasses", "inspect", "datetime", "decimal", "uuid", "pathlib"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a map and a table."""
    place = tmp_path_factory.mktemp("start")
    with (
        prolly.init(place) as repo,
        repo.transaction("main", message="first") as tx,
    ):
        tx.map("m")["k"] = "v"
        tx.table("rows", key="id").upsert({"id": 1, "name": "x"})
    return place


def loaded(code: str, root: Path) -> set[str]:
    """Return what a new process loads for some lines, beyond what it begins with."""
    # Without ``site``: what hooks of an installation load is not to be overlooked.
    found = os.pathsep.join((str(root), str(root / "cli"), *filter(None, sys.path)))
    done = subprocess.run(
        [sys.executable, "-P", "-S", "-c", LOADED, code],
        env={**os.environ, "PYTHONPATH": found},
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def ours(modules: set[str]) -> set[str]:
    """Return the modules of this project among others."""
    return {one for one in modules if one.partition(".")[0] in ("prolly", "prolly_cli")}


def test_importing_loads_nothing(root: Path) -> None:
    """``import prolly`` loads one module of ours; the others wait for a name."""
    modules = loaded("import prolly", root)
    assert ours(modules) == {"prolly"}
    assert not modules & (SLOW | SPARED)


def test_reading_loads_what_reading_needs(place: Path, root: Path) -> None:
    """A look-up in a map loads no table, no edit, no writer, and nothing slow."""
    modules = loaded(READ.format(str(place)), root)
    assert not modules & (SLOW | SPARED)
    assert not modules & {
        "prolly.tables",
        "prolly.tree.edit",
        "prolly.tree.merge",
        "prolly.chunks.local_writer",
        "prolly.repo.transaction",
    }
    assert len(ours(modules)) <= 79


def test_reading_rows_loads_what_rows_need(place: Path, root: Path) -> None:
    """A look-up in a table loads no predicate, no edit of a tree, and no writer."""
    modules = loaded(READ_ROW.format(str(place)), root)
    assert not modules & (SLOW - {"json"})
    assert not modules & {
        "prolly.tables.check",
        "prolly.tables.predicate",
        "prolly.tables.index_upkeep",
        "prolly.tree.edit",
        "prolly.chunks.local_writer",
    }
    assert len(ours(modules)) <= 105


def test_writing_loads_what_writing_needs(place: Path, root: Path) -> None:
    """A commit of a map loads no table and no merge; one of a table no files."""
    modules = loaded(WRITE.format(str(place)), root)
    assert not modules & {*SLOW, *SPARED, "prolly.tables.schema", "prolly.tree.merge"}
    assert len(ours(modules)) <= 113
    modules = loaded(WRITE_ROW.format(str(place)), root)
    assert not modules & {
        "prolly.maps.files",
        "prolly.tables.alteration",
        "prolly.tables.predicate",
        "prolly.tree.merge",
    }
    assert len(ours(modules)) <= 148


def test_commands_load_little(place: Path, root: Path) -> None:
    """The version needs no repository, and a status neither files nor merges."""
    modules = ours(loaded(COMMAND.format(str(place), "--version"), root))
    assert not {one for one in modules if one.startswith("prolly.")}
    assert len(modules) <= 8
    modules = ours(loaded(COMMAND.format(str(place), "status"), root))
    assert not modules & {"prolly.maps.files", "prolly.tree.merge", "prolly.ops"}
    assert len(modules) <= 142
