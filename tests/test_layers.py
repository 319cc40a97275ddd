"""The rooms import downwards only; the table of ranks stands here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FACADE = 13

RANKS = {
    "errors": 0,
    "env": 0,
    "codec": 1,
    "chunks": 2,
    "tree": 3,
    "maps": 4,
    "tables": 5,
    "datasets": 6,
    "history": 7,
    "merge": 8,
    "repo": 9,
    "sync": 10,
    "ops": 11,
    "server": 12,
    "client": 12,
    "api": FACADE,
    "__init__": FACADE,
}

# May import every room, and nothing imports it.
TESTING = "testing"


def imported(tree: ast.AST) -> Iterator[tuple[int, int, list[str]]]:
    """Yield (line, dots, parts of the name) for each import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, 0, alias.name.split(".")
        elif isinstance(node, ast.ImportFrom):
            base = (node.module or "").split(".") if node.module else []
            if len(base) > 1 or (base and base[0] != "prolly"):
                yield node.lineno, node.level, base
            else:
                for alias in node.names:
                    yield node.lineno, node.level, [*base, alias.name]


def room_of(parts: tuple[str, ...]) -> str:
    """Return the room of a file of the package: a directory, or a top-level module."""
    return parts[1]


Exports = dict[str, set[str]]


def faults_of(parts: tuple[str, ...], tree: ast.AST, exports: Exports) -> list[str]:
    """Return what is wrong with the imports of one file of the package."""
    room = room_of(parts)
    faults = []
    if room != TESTING and room not in RANKS:
        return [f"the room {room!r} is not in the table of ranks"]
    depth = len(parts) - 2
    for line, dots, name in imported(tree):
        if dots and (depth == 0 or dots > depth):
            if room == "__init__" and dots == 1:
                continue
            faults.append(f"line {line}: a relative import leaves the room")
        elif not dots and name[0] == "prolly" and room != TESTING:
            other = name[1] if len(name) > 1 else "__init__"
            if other == room:
                faults.append(f"line {line}: an absolute import inside the room")
            elif other == TESTING:
                faults.append(f"line {line}: nothing imports prolly.testing")
            elif RANKS.get(other, FACADE) >= RANKS[room] and room != "__init__":
                faults.append(f"line {line}: {room} imports {other}, not below it")
            elif len(name) > 2 and name[2] not in exports.get(other, set()):
                faults.append(f"line {line}: import from the room, not {name[2]!r}")
        elif not dots and name[0] == "prolly_cli":
            faults.append(f"line {line}: the library imports the command line")
    return faults


def listed(tree: ast.Module) -> set[str]:
    """Return the names in a room's ``__all__``."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and "__all__" in map(ast.unparse, node.targets):
            return set(ast.literal_eval(node.value))
    return set()


def test_rooms_import_only_from_rooms_below(sources: list[Any]) -> None:
    """No file of the package imports from an equal or higher rank."""
    exports = {
        source.parts[1]: listed(source.tree)
        for source in sources
        if source.parts[0] == "prolly" and source.parts[2:] == ("__init__",)
    }
    faults = {
        source.name: found
        for source in sources
        if source.parts[0] == "prolly"
        if (found := faults_of(source.parts, source.tree, exports))
    }
    assert not faults


def test_the_command_line_uses_only_exports(sources: list[Any], root: Path) -> None:
    """``cli`` imports prolly and its rooms as wholes, never a module inside a room."""
    modules = {path.stem for path in (root / "prolly").glob("*.py")}
    faults = [
        f"{source.name} line {line}: {'.'.join(name)}"
        for source in sources
        if source.parts[0] == "cli"
        for line, dots, name in imported(source.tree)
        if not dots and name[0] == "prolly"
        if len(name) > 2 or name[1:2] == [TESTING] or (set(name[1:2]) & {"api"})
    ]
    assert not faults
    assert "errors" in modules


def test_the_command_line_is_a_source_root(root: Path) -> None:
    """``cli`` has no ``__init__.py``; the package in it is ``prolly_cli``."""
    assert not (root / "cli" / "__init__.py").exists()
    assert (root / "cli" / "prolly_cli" / "__init__.py").exists()


def check(path: str, text: str) -> list[str]:
    """Return the faults of a file that is only imagined."""
    exports = {"codec": {"key", "node"}}
    return faults_of(Path(path).with_suffix("").parts, ast.parse(text), exports)


def test_the_check_finds_every_kind_of_fault() -> None:
    """Upward, sideways, hidden, leaving, absolute and unknown imports are found."""
    assert check("prolly/tree/cursor.py", "from prolly.maps import Blob")
    assert check("prolly/server/feed.py", "from prolly.client import Queue")
    assert check("prolly/codec/key.py", "from prolly import Repository")
    assert check("prolly/tree/cursor.py", "from ..chunks import ChunkStore")
    assert check("prolly/tree/cursor.py", "from prolly.tree.diff import diff")
    assert check("prolly/tree/cursor.py", "from prolly.testing import models")
    assert check("prolly/tree/cursor.py", "import prolly.repo")
    assert check("prolly/misc/thing.py", "")
    assert check("prolly/repo/core.py", "import prolly_cli.main")
    assert check("prolly/tree/cursor.py", "from prolly.codec.hidden import Leaf")
    hidden = (
        "if TYPE_CHECKING:\n    from prolly.repo import Repository\n"
        "def late():\n    import prolly.sync\n"
    )
    assert len(check("prolly/tree/cursor.py", hidden)) == 2


def test_the_check_lets_the_right_imports_pass() -> None:
    """Relative inside a room, rooms below by name, the facade from all."""
    assert not check("prolly/tree/cursor.py", "from .node import Leaf")
    assert not check("prolly/tree/cursor.py", "from prolly.codec import node, key")
    assert not check("prolly/tree/cursor.py", "from prolly.codec.node import Leaf")
    assert not check("prolly/tree/cursor.py", "from prolly.errors import Corrupt")
    assert not check("prolly/tree/__init__.py", "from .cursor import Cursor")
    assert not check("prolly/__init__.py", "from prolly.api import Repository")
    assert not check("prolly/__init__.py", "from .api import Repository")
    assert not check("prolly/api.py", "from prolly.ops import open_table")
    assert not check("prolly/testing/models.py", "from prolly.repo import Repository")
