"""Progress and reports of transfers, in words."""

from __future__ import annotations

import io
import sys

import pytest
from prolly_cli.addresses import directory_name
from prolly_cli.output import Output
from prolly_cli.transfer_text import (
    TransferProgress,
    progress_text,
    report_json,
    tell_report,
)

from prolly import Address
from prolly.sync import SyncProgress, SyncReport


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_what_is_known_is_told() -> None:
    """Rate and rest are told once there is something to tell them from."""
    early = progress_text(SyncProgress(5, 2048), 0.5)
    assert early == "5 records  2.0 kB"
    later = progress_text(SyncProgress(1500, 4096, 6000), 2.0)
    assert later == "1,500 of 6,000 records  4.0 kB  2.0 kB/s  about 6 s left"
    assert "left" not in progress_text(SyncProgress(0, 10, 100), 5.0)


def test_a_terminal_sees_progress_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The line is shown again after a moment, and wiped at the end."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    times = iter([0.0, 0.0, 0.01, 0.2])
    with TransferProgress("x", quiet=False, clock=lambda: next(times)) as progress:
        for count in (1, 2, 3):
            progress(SyncProgress(count, count))
    shown = terminal.getvalue()
    assert "1 records" in shown and "3 records" in shown and "2 records" not in shown
    assert shown.endswith("\r\x1b[K")


def test_a_pipe_sees_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a pipe nor who wants quiet is shown anything."""
    for stream, quiet in ((io.StringIO(), False), (Terminal(), True)):
        monkeypatch.setattr(sys, "stderr", stream)
        with TransferProgress("x", quiet=quiet) as progress:
            progress(SyncProgress(1, 1))
        assert stream.getvalue() == ""


def test_a_report_names_what_moved(capsys: pytest.CaptureFixture[str]) -> None:
    """New, moved and deleted refs are told apart, in words and as JSON."""
    one, other = Address(bytes(32)), Address(bytes([1]) * 32)
    report = SyncReport(bytes_received=10, round_trips=1, fallbacks=1)
    report.note("a", None, one)
    report.note("bb", one, other)
    report.note("c", one, None)
    output = Output()
    tell_report(output, report)
    output.flush()
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "a   new, at 000000000000",
        "bb  000000000000 -> 010101010101",
        "c   deleted, was at 000000000000",
        "0 records, 10 B received, 0 B sent, 1 round trip",
    ]
    assert "ops-mismatch" in err
    assert report_json(report)["updated"] == {
        "a": {"new": str(one)},
        "bb": {"old": str(one), "new": str(other)},
        "c": {"old": str(one)},
    }


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("../place", "place"),
        ("/a/b/", "b"),
        ("http://h:1/my%20data", "my data"),
        ("ssh://h/~/x/y", "y"),
        ("bundle:../x.bundle", "x"),
        ("file:///a/b", "b"),
        ("http://h", "repository"),
        (".", "repository"),
        ("/", "repository"),
    ],
)
def test_a_clone_has_a_name(url: str, name: str) -> None:
    """The directory is named by the last part of the address."""
    assert directory_name(url) == name
