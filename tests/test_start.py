"""Starting stays cheap: what is loaded is counted, since seconds are not to be trusted.

Each figure is what it takes today and some room. Whoever goes past one finds out first
what was loaded, and whether it could wait: ``python -X importtime`` shows most of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import prolly

LOADED = """
import json, sys
before = set(sys.modules)
try:
    exec(sys.argv.pop())
except SystemExit:
    pass
print("\\n" + json.dumps(sorted(set(sys.modules) - before)))
"""

READ = "import prolly; prolly.open({!r}).at('main').map('m')['k']"
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
SLOW = {"tempfile", "importlib.metadata", "zipfile"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one map."""
    place = tmp_path_factory.mktemp("start")
    with (
        prolly.init(place) as repo,
        repo.transaction("main", message="first") as tx,
    ):
        tx.map("m")["k"] = "v"
    return place


def loaded(code: str, root: Path) -> set[str]:
    """Return what a new process loads for some lines, beyond what it begins with."""
    found = os.pathsep.join((str(root), str(root / "cli")))
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOADED, code],
        env={**os.environ, "PYTHONPATH": found},
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def ours(modules: set[str]) -> set[str]:
    """Return the modules of this project among others."""
    return {one for one in modules if one.partition(".")[0] in ("prolly", "prolly_cli")}


def test_importing_loads_nothing(root: Path) -> None:
    """``import prolly`` loads one module of ours; the others wait for a name."""
    modules = loaded("import prolly", root)
    assert ours(modules) == {"prolly"}
    assert not modules & SLOW


def test_reading_loads_what_reading_needs(place: Path, root: Path) -> None:
    """A look-up in a map loads no table, no edit, no writer, and nothing slow."""
    modules = loaded(READ.format(str(place)), root)
    assert not modules & SLOW
    assert not modules & {
        "prolly.tables",
        "prolly.tree.edit",
        "prolly.tree.merge",
        "prolly.chunks.local_writer",
        "prolly.repo.transaction",
    }
    assert len(ours(modules)) <= 80


def test_writing_loads_what_writing_needs(place: Path, root: Path) -> None:
    """A commit of a map loads no table and no merge; one of a table no files."""
    modules = loaded(WRITE.format(str(place)), root)
    assert not modules & {*SLOW, "prolly.tables.schema", "prolly.tree.merge"}
    assert len(ours(modules)) <= 112
    modules = loaded(WRITE_ROW.format(str(place)), root)
    assert not modules & {"prolly.maps.files", "prolly.tree.merge"}
    assert len(ours(modules)) <= 150


def test_commands_load_little(place: Path, root: Path) -> None:
    """The version needs no repository, and a status neither files nor merges."""
    modules = ours(loaded(COMMAND.format(str(place), "--version"), root))
    assert not {one for one in modules if one.startswith("prolly.")}
    assert len(modules) <= 10
    modules = ours(loaded(COMMAND.format(str(place), "status"), root))
    assert not modules & {"prolly.maps.files", "prolly.tree.merge", "prolly.ops"}
    assert len(modules) <= 142
