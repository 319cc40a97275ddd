"""Errors as they are printed, and the exit code of every class of errors."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prolly_cli.failures import failure_of
from prolly_cli.main import main
from prolly_cli.running import is_interruption
from prolly_cli.running import run as run_program

import prolly
from prolly import errors
from prolly.chunks import FORMAT_VERSION, LocalStore, RefMove
from prolly.chunks.local_tables import FORMAT
from prolly.codec.store_entry import encode_counter

Run = Callable[..., Any]

EXIT_CODES = {
    errors.NotFound: 3,
    errors.KeyNotFound: 3,
    errors.AlreadyExists: 2,
    errors.Conflicted: 1,
    errors.Stale: 4,
    errors.Corrupt: 5,
    errors.Invalid: 2,
    errors.Denied: 6,
    errors.ReadOnly: 6,
    errors.Unsupported: 2,
    errors.LimitExceeded: 2,
    errors.StorageFailed: 7,
    errors.RemoteFailed: 7,
}


class Broken:
    """A program whose only command raises."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def make_context(self, *_: Any, **__: Any) -> Any:
        """Raise, as the first thing that is asked of it."""
        raise self._error


class Unspoken:
    """An object that cannot be written as text."""

    def __str__(self) -> str:
        raise ValueError


def broken(error: BaseException) -> Any:
    """Return a program that raises."""
    return Broken(error)


@pytest.mark.parametrize("kind", EXIT_CODES)
def test_every_class_of_errors_has_its_exit_code(
    kind: type[errors.Error], capfd: Any
) -> None:
    """The class decides the exit code; code, hint and message are printed."""
    error = kind("it went wrong", code="some-code", hint="Do better.")
    assert run_program(broken(error), []) == EXIT_CODES[kind]
    shown = "prolly: error: it went wrong [some-code]\nhint: Do better.\n"
    assert capfd.readouterr().err == shown


def test_every_class_is_in_the_table() -> None:
    """No class of errors is forgotten here."""
    kinds = {getattr(errors, name) for name in errors.__all__} - {errors.Error}
    assert kinds == EXIT_CODES.keys()


def test_facts_are_part_of_the_object() -> None:
    """Bytes are hexadecimal; lists and maps stay; the rest is text."""
    error = errors.Stale("moved", ref="main", expected=b"\1", parts=(1, {2: Path("x")}))
    shown = json.loads(failure_of(error, as_json=True).text)["error"]
    assert list(shown)[:3] == ["code", "message", "hint"]
    assert shown["expected"] == "01"
    assert shown["parts"] == [1, {"2": "x"}]


def test_control_characters_of_a_message_are_spelt_out() -> None:
    """A name from a file cannot move the cursor or forge a second line."""
    text = failure_of(errors.Invalid("a\x1b[2J\nb"), as_json=False).text
    assert text == "prolly: error: a\\x1b[2J\\nb [invalid]"


def test_a_fault_of_our_own_exits_70_and_keeps_the_traceback(
    capfd: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected exception is named, and its traceback is in a file."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run_program(broken(ZeroDivisionError("oh")), []) == 70
    shown = capfd.readouterr().err
    assert "ZeroDivisionError: oh [internal]" in shown
    [path] = tmp_path.glob("prolly-fault-*.txt")
    assert str(path) in shown
    assert "Traceback" in path.read_text()


def test_an_interruption_exits_130(capfd: Any) -> None:
    """Ctrl-C is no error and leaves no traceback."""
    assert run_program(broken(KeyboardInterrupt()), []) == 130
    assert capfd.readouterr().err == "prolly: interrupted\n"


def test_an_error_of_the_system_exits_7(capfd: Any) -> None:
    """What the operating system refuses is a failure of the storage."""
    for number, code in ((28, "disk-full"), (5, "io-error")):
        error = OSError(number, os.strerror(number), "/somewhere")
        assert run_program(broken(error), []) == 7
        told = f"/somewhere: {os.strerror(number)} [{code}]"
        assert told in capfd.readouterr().err


def test_no_repository_exits_3(run: Run) -> None:
    """Outside a repository every command says how to make one."""
    for words in (["status"], ["get", "a", "b"], ["put", "a", "b", "1"], ["log"]):
        answer = run(*words, code=3)
        assert "[no-repository]" in answer.err
        assert "prolly init" in answer.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["get", "nothing", "1"], "no-such-dataset"),
        (["get", "people", "9"], "key-not-found"),
        (["delete", "people", "9"], "key-not-found"),
        (["delete", "nothing", "9"], "no-such-dataset"),
        (["get", "people", "1", "--at", "nowhere"], "no-such-revision"),
        (["diff", "HEAD~9"], "no-such-revision"),
        (["switch", "nowhere"], "no-such-branch"),
        (["branch", "-d", "nowhere"], "no-such-ref"),
        (["tag", "-d", "nowhere"], "no-such-ref"),
        (["import", "people", "nothing.csv"], "no-file"),
        (["dataset", "drop", "nothing"], "no-such-dataset"),
        (["log", "--", "nothing"], "no-such-dataset"),
        (["schema", "people", "--set", "nothing.json"], "no-file"),
    ],
)
def test_what_is_not_there_exits_3(people: Run, words: list[str], code: str) -> None:
    """A missing dataset, key, revision, ref or file exits 3 with its code."""
    assert people("--json", *words, code=3).error["code"] == code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["init"], "repository-exists"),
        (["branch", "main"], "ref-exists"),
        (["branch", "a b"], "ref-name"),
        (["branch", "-d", "main"], "current-branch"),
        (["dataset", "create", "people"], "dataset-exists"),
        (["dataset", "create", "a:b"], "dataset-name"),
        (["commit", "-m", "x"], "nothing-to-commit"),
        (["put", "people", "5", "{"], "bad-json"),
        (["put", "people", "5", "5"], "not-a-row"),
        (["put", "people", "5", '{"name": 5}'], "value-type"),
        (["put", "people", "5", '{"nam": "x"}'], "unknown-column"),
        (["put", "people", "5", '{"id": 6, "name": "x"}'], "key-mismatch"),
        (["put", "people", "5", '{"name": "x", "name": "y"}'], "bad-json"),
        (["put", "settings", "k", '{"a": {"b": 1, "b": 2}}'], "bad-json"),
        (["get", "people", "x"], "value-type"),
        (["get", "people", "[1, 2]"], "key-parts"),
        (["get", "people", "[1"], "bad-json"),
        (["get", "people", "1", "--at", "main@{x"], "revision-syntax"),
        (["put", "settings", "k", '{"$bytes": 1}'], "json-form"),
    ],
)
def test_wrong_input_exits_2(people: Run, words: list[str], code: str) -> None:
    """What is wrong exits 2 with its code and leaves the repository as it was."""
    before = people("status", "--json").out
    assert people("--json", *words, code=2).error["code"] == code
    assert people("status", "--json").out == before


def test_an_ambiguous_revision_exits_2(people: Run, place: Path) -> None:
    """A name that is branch and tag says how to write the one that is meant."""
    people("branch", "x")
    store = LocalStore.open(place / ".prolly")
    store.move_refs([RefMove("tags/x", None, store.read_ref("branches/x"))])
    store.close()
    answer = people("show", "x", code=2)
    assert "[ambiguous-revision]" in answer.err
    assert "hint: Write branches/x or tags/x" in answer.err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["init"], "prolly status"),
        (["import", "people", "second.csv", "--append"], "`--update` overwrites"),
        (["put", "model", "k", "1"], "prolly files cat"),
        (["get", "model", "nothing"], "prolly files ls DATASET"),
        (["get", "people", "9"], "The key is id (int)"),
        (["schema", "people", "--set", "less.json"], "--force"),
    ],
)
def test_hints_speak_of_commands(
    people: Run, place: Path, words: list[str], hint: str
) -> None:
    """No method and no argument of the library is advised here."""
    people("files", "add", "model", "first.csv")
    less = {"columns": [{"name": "id", "type": "int"}], "key": ["id"]}
    (place / "less.json").write_text(json.dumps(less))
    answer = people("--json", *words, code=3 if words[0] == "get" else 2)
    assert hint in answer.error["hint"]


def test_a_lost_race_exits_4(people: Run, place: Path) -> None:
    """Where another commit changed the same record, commit says what to do."""
    people("put", "people", "1", '{"name": "ours", "height": 1.5}')
    with prolly.open(place) as repo, repo.transaction("main", message="theirs") as tx:
        tx.table("people")[1] = {"name": "theirs", "height": 1.5}
    answer = people("commit", "-m", "ours", code=4)
    assert "[write-conflict]" in answer.err
    assert "prolly reset --hard" in answer.err
    people("put", "people", "7", '{"name": "new", "height": 2}')
    people("reset", "--hard")
    people("put", "people", "7", '{"name": "new", "height": 2}')
    people("commit", "-m", "ours again")


def test_a_change_elsewhere_carries_over(people: Run, place: Path) -> None:
    """When the branch moved by other records, commit holds both changes."""
    people("put", "people", "1", '{"name": "ours", "height": 1.5}')
    with prolly.open(place) as repo, repo.transaction("main", message="theirs") as tx:
        tx.table("people")[2] = {"name": "theirs", "height": 1.5}
    assert "moved" in people("status").out
    people("commit", "-m", "ours")
    rows = people("scan", "people", "--json").lines
    assert [row["name"] for row in rows] == ["ours", "theirs", "Di"]


def test_a_newer_format_exits_2(people: Run, place: Path) -> None:
    """A repository of a format that is not known is refused, not guessed at."""
    store = LocalStore.open(place / ".prolly")
    store._index.write_setting(FORMAT, encode_counter(FORMAT_VERSION + 1))
    store.close()
    answer = people("--json", "status", code=2)
    assert answer.error["code"] == "format-version"
    assert answer.error["hint"]


def test_corrupt_data_exits_5(run: Run, repository: Path) -> None:
    """Flipped bits are found when they are read, and named as what they are."""
    rows = "\n".join(f"{number},{number**9}" for number in range(20_000))
    run(
        "import",
        "t",
        "-",
        "--format",
        "csv",
        "--key",
        "a",
        stdin=b"a,b\n" + rows.encode(),
    )
    packs = list(repository.rglob("*.pack"))
    assert packs
    for pack in packs:
        data = bytearray(pack.read_bytes())
        for at in range(len(data) // 4, len(data) // 2, 50):
            data[at] ^= 0x55
        pack.chmod(0o644)
        pack.write_bytes(bytes(data))
    answer = run("scan", "t", "--limit", "20000", code=5)
    assert "prolly: error: " in answer.err


def test_a_read_only_directory_exits_6(capfd: Any) -> None:
    """Without permission to write, a change and a new repository exit 6."""
    place = Path(tempfile.mkdtemp())
    inside = ["-C", str(place)]
    put = [*inside, "put", "settings", "theme"]
    get = [*inside, "get", "settings", "theme"]
    assert [main([*inside, "init"]), main([*put, '"dark"']), main(get)] == [0, 0, 0]
    paths = [place, *place.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    capfd.readouterr()
    try:
        assert in_child(lambda: main([*put, '"light"'])) == 6
        assert "[read-only]" in capfd.readouterr().err
        assert in_child(lambda: main(["-C", str(place / "below"), "init"])) == 6
    finally:
        for path in paths:
            path.chmod(0o755)
        shutil.rmtree(place)


def in_child(function: Callable[[], int]) -> int:
    """Call a function in a child without the rights of the superuser."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            code = function()
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def wrapped_interruption() -> RuntimeError:
    """Return what Python 3.11 makes of Ctrl-C while a class is put together."""

    class Field:
        def __set_name__(self, owner: type, name: str) -> None:
            raise KeyboardInterrupt

    try:
        type("Made", (), {"field": Field()})
    except (KeyboardInterrupt, RuntimeError) as error:
        wrapped = RuntimeError("while it was put together")
        wrapped.__cause__ = error
        return wrapped
    raise AssertionError("nothing was raised")


def test_an_interruption_in_disguise_exits_130(capfd: Any) -> None:
    """What came of Ctrl-C while a module was loaded is no fault of the program."""
    assert run_program(broken(wrapped_interruption()), []) == 130
    assert capfd.readouterr().err == "prolly: interrupted\n"


def test_an_error_after_an_interruption_counts_as_itself() -> None:
    """An error that says what is wrong is told, whatever led to it."""
    error = errors.Stale("moved")
    error.__context__ = KeyboardInterrupt()
    assert not is_interruption(error)
    assert is_interruption(wrapped_interruption())
    assert not is_interruption(ZeroDivisionError())


def test_an_interruption_of_the_start_exits_130(
    start: Callable[..., Any], place: Path, tmp_path: Path
) -> None:
    """Ctrl-C while the modules of the library are put together: no traceback, 130."""
    place.mkdir(exist_ok=True)
    (tmp_path / "sitecustomize.py").write_text(
        "from functools import cached_property\n"
        "put = cached_property.__set_name__\n"
        "def stop(self, owner, name):\n"
        "    if owner.__name__ == 'Storage':\n"
        "        raise KeyboardInterrupt\n"
        "    put(self, owner, name)\n"
        "cached_property.__set_name__ = stop\n"
    )
    child = start("init", env={"PYTHONPATH": str(tmp_path)})
    assert child.communicate() == (b"", b"prolly: interrupted\n")
    assert child.returncode == 130


def test_too_little_memory_exits_2(capfd: Any) -> None:
    """What the system did not give is named, with what to do about it."""
    assert run_program(broken(MemoryError("malloc of 7 bytes")), []) == 2
    shown = capfd.readouterr().err
    assert "not enough memory: malloc of 7 bytes [out-of-memory]\nhint: " in shown


def test_a_fact_that_python_cannot_spell_is_shown_all_the_same() -> None:
    """An integer of thousands of digits, and an object without a text, have one."""
    error = errors.Stale("moved", large=10**5000, object=Unspoken())
    shown = json.loads(failure_of(error, as_json=True).text)["error"]
    assert shown["large"] == hex(10**5000)
    assert shown["object"] == "a value of type Unspoken"
