"""What can be imported, typed or met equals what the documentation lists.

A failing test prints the missing rows, to be completed and put into the page.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

import prolly
from prolly import errors

# The code of the root class, which is never raised itself.
ROOT_CODE = "error"

EXIT_CODES = {
    "NotFound": 3,
    "KeyNotFound": 3,
    "AlreadyExists": 2,
    "Conflicted": 1,
    "Stale": 4,
    "Corrupt": 5,
    "Invalid": 2,
    "Denied": 6,
    "ReadOnly": 6,
    "Unsupported": 2,
    "LimitExceeded": 2,
    "StorageFailed": 7,
    "RemoteFailed": 7,
}


@pytest.fixture(scope="module")
def reference(root: Path) -> Path:
    """The directory of the reference pages."""
    return root / "docs" / "reference"


def page(path: Path) -> str:
    """Return a page, or nothing when it is not there: then every row is missing."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def rooms() -> Iterator[ModuleType]:
    """Yield every room of the package."""
    place = Path(inspect.getfile(prolly)).parent
    for path in sorted(place.glob("*/__init__.py")):
        if path.parent.name != "testing":
            yield importlib.import_module(f"prolly.{path.parent.name}")


def public_names(module: ModuleType) -> set[str]:
    """Return what ``from module import`` offers: no private name, no future import."""
    place = Path(inspect.getfile(module)).parent
    submodules = {path.stem for path in place.glob("*.py")}
    submodules |= {path.name for path in place.iterdir() if path.is_dir()}
    return {
        name
        for name in vars(module)
        if not name.startswith("_") and name not in submodules | {"annotations"}
    }


def test_the_facade_exports_what_it_lists() -> None:
    """What ``prolly`` holds equals its ``__all__``, sorted and without repeats."""
    listed = [name for name in prolly.__all__ if not name.startswith("__")]
    assert public_names(prolly) - set(listed) == set()
    assert [name for name in prolly.__all__ if not hasattr(prolly, name)] == []
    assert len(set(prolly.__all__)) == len(prolly.__all__)


def test_every_room_exports_what_it_lists() -> None:
    """What a room holds beside its modules equals its ``__all__``."""
    faults = {}
    for room in rooms():
        missing = [name for name in room.__all__ if not hasattr(room, name)]
        unlisted = sorted(public_names(room) - set(room.__all__))
        repeated = len(set(room.__all__)) != len(room.__all__)
        if missing or unlisted or repeated:
            faults[room.__name__] = {"missing": missing, "unlisted": unlisted}
    assert not faults


def test_every_exported_name_is_documented(reference: Path) -> None:
    """Every name of ``prolly.__all__`` has a heading or a row in api.md."""
    text = page(reference / "api.md")
    missing = [
        name
        for name in prolly.__all__
        if not re.search(rf"(^#+ .*|^\| *|^- )`[^`]*\b{name}\b", text, re.MULTILINE)
    ]
    assert not missing


def test_every_exported_name_has_a_docstring() -> None:
    """Every exported class and function says what it is, public methods included."""
    faults = []
    for name in prolly.__all__:
        thing = getattr(prolly, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            faults += [] if inspect.getdoc(thing) else [name]
        if inspect.isclass(thing):
            faults += [
                f"{name}.{method}"
                for method, value in vars(thing).items()
                if not method.startswith("_")
                if inspect.isfunction(value) or isinstance(value, property)
                if not inspect.getdoc(getattr(thing, method))
            ]
    assert not faults


def test_every_error_class_has_an_exit_code(reference: Path) -> None:
    """errors.md gives every class of the tree its exit code."""
    text = page(reference / "errors.md")
    names = set(errors.__all__) - {"Error"}
    assert names == EXIT_CODES.keys()
    missing = [
        f"| `{name}` | {EXIT_CODES[name]} | ... |"
        for name in errors.__all__
        if name != "Error" and f"| `{name}` | {EXIT_CODES[name]} |" not in text
    ]
    assert not missing, "\n" + "\n".join(missing)


def raised_codes(sources: list[Any]) -> dict[str, str]:
    """Return every error code that the sources spell, and a file that does."""
    found: dict[str, str] = {}
    for source in sources:
        if source.parts[0] not in ("prolly", "cli") or source.parts[1] == "testing":
            continue
        for node in ast.walk(source.tree):
            for code in _codes(node):
                found.setdefault(code, source.name)
    return found


def _codes(node: ast.AST) -> Iterator[str]:
    """Yield the codes in a call with ``code=...`` or in ``default_code = ...``."""
    if isinstance(node, ast.Call):
        values = [word.value for word in node.keywords if word.arg == "code"]
        for value in values:
            for part in ast.walk(value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value
    elif isinstance(node, ast.Assign):
        names = [one.id for one in node.targets if isinstance(one, ast.Name)]
        value = node.value
        if "default_code" in names and isinstance(value, ast.Constant):
            yield str(value.value)


def test_every_error_code_is_documented(sources: list[Any], reference: Path) -> None:
    """errors.md has a row for every code that the sources raise."""
    text = page(reference / "errors.md")
    missing = [
        f"| `{code}` | ... | ({name}) |"
        for code, name in sorted(raised_codes(sources).items())
        if f"| `{code}` |" not in text and code != ROOT_CODE
    ]
    assert not missing, "\n" + "\n".join(missing)


def test_every_documented_error_code_exists(
    sources: list[Any], reference: Path
) -> None:
    """errors.md lists no code that the sources do not spell."""
    rows = re.findall(
        r"^\| `([a-z][a-z0-9-]*)` \|", page(reference / "errors.md"), re.M
    )
    texts = [one.text for one in sources if one.parts[0] in ("prolly", "cli")]
    assert [code for code in rows if not any(f'"{code}"' in t for t in texts)] == []


def limits(sources: list[Any]) -> Iterator[str]:
    """Yield the end of a row for every constant that ends in MAX or MIN."""
    for source in sources:
        if source.parts[0] not in ("prolly", "cli") or source.parts[1] == "testing":
            continue
        for node in source.tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            if isinstance(node, ast.AnnAssign):
                targets = [node.target]
            for target in targets:
                name = target.id if isinstance(target, ast.Name) else ""
                if re.fullmatch(r"[A-Z][A-Z0-9_]*_(MAX|MIN)", name):
                    parts = [part for part in source.parts if part != "cli"]
                    value = getattr(importlib.import_module(".".join(parts)), name)
                    yield f"| {value:,} | `{name}` | `{source.name}` |"


def test_every_limit_is_documented(sources: list[Any], reference: Path) -> None:
    """limits.md has a row with value, name and place for every limit, and no other."""
    text = page(reference / "limits.md")
    found = list(limits(sources))
    missing = [f"| ... {row}" for row in found if row not in text]
    assert not missing, "\n" + "\n".join(missing)
    rows = re.findall(r"^\| .* (\| [^|]* \| `\w+_(?:MAX|MIN)` \| .*)$", text, re.M)
    assert not set(rows) - set(found)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield (full name, command) for every command and subcommand."""
    main = importlib.import_module("prolly_cli.main")

    def walk(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        yield name, command
        if isinstance(command, click.Group):
            for child in command.list_commands(click.Context(command)):
                found = command.get_command(click.Context(command), child)
                assert found is not None
                yield from walk(f"{name} {child}".strip(), found)

    yield from walk("", main.cli)


def section(text: str, name: str) -> str:
    """Return the section of cli.md on a command: from its heading to the next."""
    match = re.search(
        rf"^#+ `prolly {re.escape(name)}`\n(.*?)(?=^#+ |\Z)", text, re.M | re.S
    )
    return match[1] if match else ""


def test_every_command_is_documented(reference: Path) -> None:
    """cli.md has a heading for every command, and help says what each does."""
    text = page(reference / "cli.md")
    names = [(name, command) for name, command in commands() if name]
    missing = [f"## `prolly {name}`" for name, _ in names if not section(text, name)]
    assert not missing, "\n" + "\n".join(missing)
    assert not [name for name, command in names if not command.help]


def test_every_option_is_documented(reference: Path) -> None:
    """Every option stands in its command's section, or among the global ones."""
    text = page(reference / "cli.md")
    everywhere = text.split("\n## `", 1)[0]
    missing = []
    for name, command in commands():
        known = everywhere + section(text, name)
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                spelt = max(option.opts, key=len)
                if not re.search(rf"`[^`]*{re.escape(spelt)}\b", known):
                    missing.append(f"prolly {name}: {spelt}")
    assert not missing, "\n" + "\n".join(missing)


def test_every_option_has_help() -> None:
    """``--help`` explains every option."""
    faults = [
        f"{name}: {option.name}"
        for name, command in commands()
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden and not option.help
    ]
    assert not faults
