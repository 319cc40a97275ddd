"""Streams: terminals, pipes, pagers, full disks and Ctrl-C, mostly as processes."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prolly_cli.output import Output, number, plural, visible
from prolly_cli.pager import pager_command

Run = Callable[..., Any]
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def large(run: Run, repository: Path) -> Run:
    """A repository whose table's scan and diff fill any pipe."""
    rows = "".join(f"{key},{'x' * 50}\n" for key in range(20_000))
    words = ["import", "t", "-", "--format", "csv", "--key", "a", "-m", "large"]
    run(*words, stdin=b"a,b\n" + rows.encode())
    return run


def on_terminal(start: Start, *words: str, **env: str) -> tuple[str, str]:
    """Run with both outputs on terminals; return what a person sees of each."""
    shown = []
    out, out_side = pty.openpty()
    err, err_side = pty.openpty()
    process = start(
        *words, stdout=out_side, stderr=err_side, env={"TERM": "xterm", **env}
    )
    os.close(out_side)
    os.close(err_side)
    for descriptor in (out, err):
        data = b""
        while block := read(descriptor):
            data += block
        os.close(descriptor)
        shown.append(data.decode().replace("\r\n", "\n"))
    assert process.wait() == 0
    return shown[0], shown[1]


def read(descriptor: int) -> bytes:
    """Read from a terminal; its end is an error, which means the same as no bytes."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def test_colour_is_for_terminals(people: Run, start: Start) -> None:
    """A terminal gets colour, unless somebody said no; a pipe never does."""
    words = ["diff", "--stat", "HEAD~1", "HEAD"]
    assert "\x1b[32m1 added\x1b[0m" in on_terminal(start, *words, PAGER="")[0]
    assert "\x1b" not in on_terminal(start, *words, PAGER="", NO_COLOR="1")[0]
    assert "\x1b" not in on_terminal(start, *words, "--no-color", PAGER="")[0]
    assert "\x1b" not in on_terminal(start, *words, PAGER="", TERM="dumb")[0]
    assert "\x1b" not in on_terminal(start, *words, "--json", PAGER="")[0]
    assert "\x1b" not in people(*words).out


def test_a_pager_is_for_terminals(people: Run, start: Start) -> None:
    """Long output goes through ``$PAGER`` on a terminal, and JSON does not."""
    pager = {"PAGER": "sed s/^/paged:/", "NO_COLOR": "1"}
    shown = on_terminal(start, "log", "--oneline", **pager)[0]
    assert all(line.startswith("paged:") for line in shown.splitlines())
    assert len(shown.splitlines()) == 3
    assert "paged:" not in on_terminal(start, "log", "--json", **pager)[0]
    assert "paged:" not in people("log").out


def test_a_pager_that_ends_early_is_no_error(large: Run, start: Start) -> None:
    """Leaving the pager before the end exits 0 and says nothing."""
    words = ["diff", "HEAD~1", "HEAD"]
    shown, errors = on_terminal(start, *words, PAGER="head -n 1", NO_COLOR="1")
    assert (shown, errors) == ("t (created)\n", "")


def test_the_pager_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """``$PAGER`` decides, an empty one means none, and so does a dumb terminal."""
    monkeypatch.setenv("PAGER", "more -x")
    assert pager_command() == "more -x"
    monkeypatch.setenv("PAGER", "")
    assert pager_command() is None
    monkeypatch.delenv("PAGER")
    monkeypatch.setenv("TERM", "dumb")
    assert pager_command() is None


def test_progress_is_for_terminals(people: Run, start: Start) -> None:
    """Importing shows a bar on a terminal, wiped at the end; -q shows none."""
    words = ["import", "people", "first.csv"]
    errors = on_terminal(start, *words)[1]
    assert "importing people" in errors
    assert "100 %" in errors
    assert errors.endswith("\x1b[K")
    assert on_terminal(start, "-q", *words) == ("", "")
    assert people(*words).err == ""


@pytest.mark.parametrize("words", ["scan t", "scan t --json", "diff @~1", "export t"])
def test_a_reader_that_leaves_ends_it_quietly(
    large: Run, start: Start, words: str
) -> None:
    """``prolly diff | head`` exits 0 and prints nothing on standard error."""
    process = start(*words.split())
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()


def test_a_full_disk_behind_a_redirection_exits_7(people: Run, start: Start) -> None:
    """What cannot be written is an error, not silence."""
    with open("/dev/full", "wb") as full:
        process = start("scan", "people", stdout=full)
        assert process.stderr is not None
        text = process.stderr.read()
        assert process.wait() == 7
        process.stderr.close()
    assert b"[disk-full]" in text


def test_ctrl_c_in_an_import_leaves_the_store_as_it_was(
    people: Run, start: Start
) -> None:
    """Interrupted in the middle: exit 130, no traceback, the same status."""
    before = people("status", "--json").out
    words = ["import", "other", "-", "--format", "csv", "--key", "a"]
    process = start(*words, stdin=subprocess.PIPE)
    assert process.stdin is not None
    # No key twice: what is wrong in the rows may be told before the signal is there.
    process.stdin.write(b"a,b\n" + b"".join(b"%d,2\n" % n for n in range(100_000)))
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (130, b"prolly: interrupted\n")
    assert people("status", "--json").out == before
    assert people("ls", "--json").document["datasets"].keys() == {"people"}


def test_ctrl_c_while_rows_are_loaded(
    people: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interruption in the midst of the edit discards the edit."""
    before = people("status", "--json").out

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("prolly_cli.progress.Progress.__call__", interrupted)
    answer = people("import", "people", "first.csv", "-m", "again", code=130)
    assert answer.err == "prolly: interrupted\n"
    monkeypatch.undo()
    assert people("status", "--json").out == before


def test_json_is_one_stream_of_documents(large: Run) -> None:
    """Every line of a long answer is a whole document."""
    assert len(large("scan", "t", "--json").lines) == 20_000
    assert len(large("diff", "HEAD~1", "HEAD", "--json").lines) == 20_000


def test_words_for_people() -> None:
    """Thousands separators, plurals, and control characters spelt out."""
    assert number(1_234_567) == "1,234,567"
    assert (plural(1, "row"), plural(2000, "row")) == ("1 row", "2,000 rows")
    assert visible("ü\x00\n\x9b\u202e") == "ü\\x00\\n\\x9b\\u202e"


def test_the_buffer_is_bounded(capfd: Any) -> None:
    """What is printed leaves the buffer long before the end."""
    output = Output()
    for _ in range(10_000):
        output.line("0123456789")
    assert len(capfd.readouterr().out) > 60_000
    output.flush()
