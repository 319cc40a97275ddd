"""Style as a failing test: sizes, names, leftovers, docstrings."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prolly import errors

LINE_CHARS_MAX = 88
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
POSITIONAL_MAX = 5

VAGUE_NAMES = {"common", "core", "helpers", "misc", "utils"}

# Spelt in two parts, so that this file does not find itself.
LEFTOVERS = [
    *(first + second for first, second in [("TO", "DO"), ("FIX", "ME"), ("XX", "X")]),
    "HA" + "CK",
    "pytest.mark.sk" + "ip",
    "pytest.sk" + "ip",
    "pytest.importor" + "skip",
    "pytest.mark.xf" + "ail",
    "pytest.xf" + "ail",
    "type: ig" + "nore",
    "no" + "qa",
]
LEFTOVER = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in LEFTOVERS))
# An exemption is for this one line and says why in the same comment.
EXEMPT = re.compile(r"(type: ig" + r"nore|no" + r"qa)\S* +# [A-Z].+\.$")

# A word of code may stand at the beginning of a sentence as it is: repo.run(), a=b.
CODE_WORD = re.compile(r"[^ ,;:]*[._(=/<>{}\[\]$-]")

# What an assertion may call: it is left out under `python -O`, and its effects too.
PURE_CALLS = {
    *("all", "any", "bool", "callable", "dict", "frozenset", "getattr", "hasattr"),
    *("isinstance", "issubclass", "iter", "len", "list", "map", "max", "min", "range"),
    *("set", "sorted", "str", "sum", "tuple", "type", "zip"),
    # Our own, of schemas: it compares.
    "same_key",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_lines_are_short(sources: list[Any]) -> None:
    """No line of code is longer than 88 characters."""
    faults = [
        f"{source.name}:{number}"
        for source in sources
        for number, line in enumerate(source.text.splitlines(), 1)
        if len(line) > LINE_CHARS_MAX
    ]
    assert not faults


def test_files_are_short(sources: list[Any]) -> None:
    """No file is longer than 500 lines."""
    lengths = {source.name: len(source.text.splitlines()) for source in sources}
    assert not {name: n for name, n in lengths.items() if n > FILE_LINES_MAX}


def test_functions_are_short(sources: list[Any]) -> None:
    """No function is longer than 70 lines."""
    faults = [
        f"{source.name}: {function.name}"
        for source in sources
        for function in functions(source.tree)
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not faults


def positional(function: Function) -> int:
    """Count the positional parameters, without the object itself."""
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def test_functions_take_few_positional_parameters(sources: list[Any]) -> None:
    """Five at most; a command's and a test's are given by name by their framework."""
    faults = [
        f"{source.name}: {function.name}"
        for source in sources
        if source.parts[0] not in ("tests", "cli")
        for function in functions(source.tree)
        if positional(function) > POSITIONAL_MAX
    ]
    assert not faults


def dependency_names(root: Path) -> set[str]:
    """Return the names of all dependencies, extras included."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for names in project["optional-dependencies"].values():
        wanted.extend(names)
    return {re.split(r"[<>=~!\[; ]", one)[0].replace("-", "_") for one in wanted}


def test_modules_have_names_of_their_own(sources: list[Any], root: Path) -> None:
    """No module or room is vague, or called as the library's or a dependency's."""
    taken = VAGUE_NAMES | sys.stdlib_module_names | dependency_names(root)
    shipped = [one for one in sources if one.parts[0] in ("prolly", "cli")]
    names = {(one.name, part) for one in shipped for part in one.parts[1:]}
    faults = {(name, part) for name, part in names if part in taken - {"__init__"}}
    assert not faults


def test_nothing_is_left_over(sources: list[Any]) -> None:
    """No marks of unfinished work, no test switched off, no checker silenced."""
    faults = [
        f"{source.name}:{number}: {line.strip()}"
        for source in sources
        for number, line in enumerate(source.text.splitlines(), 1)
        if LEFTOVER.search(line) and not EXEMPT.search(line)
    ]
    assert not faults


def called(node: ast.AST) -> str:
    """Return the name of what a call calls, without what it is looked up in."""
    if not isinstance(node, ast.Call):
        return ""
    return str(getattr(node.func, "id", getattr(node.func, "attr", "")))


def effects(tree: ast.AST) -> Iterator[str]:
    """Yield what assertions do that could change anything."""
    for asserted in ast.walk(tree):
        if isinstance(asserted, ast.Assert):
            for node in ast.walk(asserted.test):
                if isinstance(node, ast.NamedExpr | ast.Await | ast.Yield):
                    yield ast.unparse(node)
                elif isinstance(node, ast.Call):
                    is_plain = isinstance(node.func, ast.Name)
                    if not is_plain or ast.unparse(node.func) not in PURE_CALLS:
                        yield ast.unparse(node)


def test_assertions_do_nothing(sources: list[Any]) -> None:
    """The library works alike without them: they call only what has no effect."""
    faults = [
        f"{source.name}: {effect}"
        for source in sources
        if source.parts[0] in ("prolly", "cli") and source.parts[1] != "testing"
        for effect in effects(source.tree)
    ]
    assert not faults


def hints(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield what is given, or assigned, as the hint of an error."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in ("refuse", "refuse_schema"):
            yield from node.args[1:2]
        if isinstance(node, ast.keyword) and node.arg == "hint":
            yield node.value
        elif isinstance(node, ast.Assign):
            names = [
                getattr(one, "id", getattr(one, "attr", "")) for one in node.targets
            ]
            if "hint" in names:
                yield node.value


def sentences(expression: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield how each alternative of a hint begins and ends, as far as it is written."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield expression.value, expression.value
    elif isinstance(expression, ast.JoinedStr):
        ends = expression.values[0], expression.values[-1]
        first, last = (
            one.value if isinstance(one, ast.Constant) else "" for one in ends
        )
        yield str(first), str(last)
    elif isinstance(expression, ast.IfExp):
        yield from sentences(expression.body)
        yield from sentences(expression.orelse)
    elif isinstance(expression, ast.BoolOp):
        for value in expression.values:
            yield from sentences(value)


def is_sentence(first: str, last: str) -> bool:
    """Tell whether a hint begins and ends as a sentence, or is empty."""
    if not first and not last:
        return True
    begins = not first[:1].islower() or CODE_WORD.match(first) is not None
    return begins and last.endswith((".", "!", "?"))


def test_hints_are_sentences(sources: list[Any]) -> None:
    """A hint begins with a capital letter, or with code, and ends with a full stop."""
    faults = [
        f"{source.name}:{expression.lineno}: {first or last}"
        for source in sources
        if source.parts[0] in ("prolly", "cli")
        for expression in hints(source.tree)
        for first, last in sentences(expression)
        if not is_sentence(first, last)
    ]
    assert not faults


def test_every_error_has_a_hint(sources: list[Any]) -> None:
    """Whoever makes an error says what to do; of damaged bytes, their class does."""
    kinds = {
        name
        for name in errors.__all__
        if not getattr(errors, name).default_hint and name != "Error"
    }
    faults = [
        f"{source.name}:{node.lineno}"
        for source in sources
        if source.parts[0] in ("prolly", "cli")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and called(node) in kinds
        if "hint" not in {one.arg for one in node.keywords}
    ]
    assert not faults


def test_every_module_says_what_it_is(sources: list[Any]) -> None:
    """Every module has a docstring."""
    assert not [one.name for one in sources if not ast.get_docstring(one.tree)]


def test_every_test_states_its_claim(sources: list[Any]) -> None:
    """Every test function has a docstring."""
    faults = [
        f"{source.name}: {function.name}"
        for source in sources
        for function in functions(source.tree)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]
    assert not faults


def test_every_room_lists_its_exports(sources: list[Any]) -> None:
    """Every room's ``__init__`` assigns ``__all__``."""
    faults = [
        source.name
        for source in sources
        if source.parts[0] == "prolly" and source.parts[-1] == "__init__"
        if source.parts[1] != "testing"
        if "__all__" not in re.findall(r"^(__all__)", source.text, re.MULTILINE)
    ]
    assert not faults


def test_modules_defer_annotations(sources: list[Any]) -> None:
    """Every module that defines anything has the future import of annotations."""
    wanted = "from __future__ import annotations"
    faults = [
        source.name
        for source in sources
        if any(isinstance(one, Definition) for one in source.tree.body)
        if wanted not in source.text
    ]
    assert not faults


def test_tests_stand_where_their_module_stands(root: Path) -> None:
    """A test of a room lies in the directory of that room's name."""
    rooms = {path.name for path in (root / "prolly").iterdir() if path.is_dir()}
    places = {path.parent.name for path in (root / "tests").glob("*/test_*.py")}
    assert places <= rooms | {"benchmarks", "cli"}


def test_the_shell_scripts_fail_loudly(root: Path) -> None:
    """The scripts stop at the first command that fails."""
    assert "set -euo pipefail" in (root / ".ci" / "run").read_text()
    assert "set -eu" in (root / "tests" / "quickstart.sh").read_text()


def test_the_shipped_data_is_small(root: Path) -> None:
    """The data in the repository stays under 3 MB."""
    files = (path for path in (root / "tests" / "data").rglob("*") if path.is_file())
    assert sum(path.stat().st_size for path in files) < 3_000_000
