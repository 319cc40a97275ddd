"""The line to a program: how ssh is called, and what goes wrong with programs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from prolly.errors import Invalid, RemoteFailed
from prolly.sync import stream_remote
from prolly.sync.stream_remote import StreamRemote, ssh_command
from prolly.testing.echoing import asking


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("ssh://h/p", ["ssh", "--", "h", "prolly remote-serve -- /p"]),
        ("ssh://me@h/p", ["ssh", "--", "me@h", "prolly remote-serve -- /p"]),
        ("ssh://h:22/p", ["ssh", "-p", "22", "--", "h", "prolly remote-serve -- /p"]),
        ("ssh://h/~/a/b", ["ssh", "--", "h", "prolly remote-serve -- a/b"]),
        ("ssh://h/~/", ["ssh", "--", "h", "prolly remote-serve -- ."]),
        ("ssh://h/~/-x", ["ssh", "--", "h", "prolly remote-serve -- -x"]),
        ("ssh://h/a b", ["ssh", "--", "h", "prolly remote-serve -- '/a b'"]),
        ("ssh://h/a%20b", ["ssh", "--", "h", "prolly remote-serve -- '/a b'"]),
        ("ssh://h/$(x)", ["ssh", "--", "h", "prolly remote-serve -- '/$(x)'"]),
        ("ssh://h/a'b", ["ssh", "--", "h", "prolly remote-serve -- '/a'\"'\"'b'"]),
        (
            "ssh://[::1]:2/p",
            ["ssh", "-p", "2", "--", "::1", "prolly remote-serve -- /p"],
        ),
    ],
)
def test_ssh_is_called_with_words(url: str, command: list[str]) -> None:
    """Each word is one argument; only the path goes through the far shell, quoted."""
    assert ssh_command(url) == command


@pytest.mark.parametrize(
    "url",
    [
        "ssh://h",
        "ssh://h/",
        "ssh:///p",
        "ssh://-oProxyCommand=x/p",
        "ssh://-u@h/p",
        "ssh://%2doProxyCommand=x/p",
        "ssh://me@-h/p",
        "ssh://h%0a/p",
        "ssh://a%20b/p",
        "ssh://h:99999/p",
        "ssh://h:x/p",
        "ssh://me:secret@h/p",
        "ssh://h/p%0a",
        "ssh://h/p%00",
    ],
)
def test_options_in_disguise_are_refused(url: str) -> None:
    """What ssh or the far shell would misread is Invalid before anything is run."""
    with pytest.raises(Invalid) as raised:
        ssh_command(url)
    assert raised.value.code == "remote-url"
    assert "secret" not in f"{raised.value} {raised.value.facts}"


def test_other_programs_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables name the ssh of this side and the prolly of the other."""
    monkeypatch.setenv(stream_remote.SSH_VARIABLE, "my-ssh -i 'a key'")
    monkeypatch.setenv(stream_remote.PROGRAM_VARIABLE, "/opt/bin/prolly")
    assert ssh_command("ssh://h/p") == [
        *("my-ssh", "-i", "a key", "--", "h"),
        "/opt/bin/prolly remote-serve -- /p",
    ]
    monkeypatch.setenv(stream_remote.SSH_VARIABLE, "my-ssh 'open")
    with pytest.raises(Invalid) as raised:
        ssh_command("ssh://h/p")
    assert raised.value.code == "ssh-command"


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["/nowhere/ssh"], "unreachable", "No such file"),
        (["false"], "unreachable", "ended"),
        (["sh", "-c", "echo 'no route' >&2; exit 255"], "unreachable", "no route"),
        (
            ["sh", "-c", "echo error: no option >&2; echo hint: look >&2; exit 2"],
            "unreachable",
            "error: no option",
        ),
        (["echo", "Welcome!"], "not-prolly", "Welcome!"),
        (["printf", "prolly\\n\\002xxxx"], "not-prolly", "prolly"),
        (["printf", "prolly\\n\\001"], "line-broken", "ended"),
        (["printf", "prolly\\n\\001\\377\\377\\377\\177"], "line-form", "2147483647"),
    ],
)
def test_programs_that_are_none_of_ours(
    command: list[str], code: str, said: str
) -> None:
    """A program that is not there, fails, greets or talks is told with its words."""
    remote = StreamRemote("ssh://h/p", command)
    with pytest.raises((RemoteFailed, stream_remote.Corrupt)) as raised:
        list(remote.ask(asking()))
    assert raised.value.code == code
    assert said in raised.value.message and raised.value.hint
    remote.close()


def test_a_silent_program_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that says nothing is killed after a while."""
    monkeypatch.setattr(stream_remote, "SILENT_SECONDS", 0.05)
    monkeypatch.setattr(stream_remote, "STOP_SECONDS", 0.05)
    remote = StreamRemote("x:", [sys.executable, "-c", "import time; time.sleep(60)"])
    with pytest.raises(RemoteFailed) as raised:
        list(remote.ask(asking()))
    assert raised.value.code == "line-timeout"


def test_nothing_runs_before_it_is_asked(tmp_path: Path) -> None:
    """Making and closing a line starts no program."""
    mark = tmp_path / "mark"
    StreamRemote("x:", ["touch", str(mark)]).close()
    assert not mark.exists()
