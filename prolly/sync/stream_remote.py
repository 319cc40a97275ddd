"""The line over standard input and output of a program: ``prolly remote-serve DIR``.

The program may run anywhere: ``ssh://`` runs it on another machine, through the ``ssh``
that is installed here, with its keys and its settings. One process serves many
exchanges; it ends when the line is closed. No shell of this machine sees any argument;
that of the other machine sees one, which is quoted.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO
from urllib.parse import unquote, urlsplit

from prolly.errors import Corrupt, Invalid, RemoteFailed

from .pipe_stream import PipeStream
from .remote import Remote

# Words that run ssh, such as "ssh -i key"; split as a shell does, run without one.
SSH_VARIABLE = "PROLLY_SSH"
# What to run on the other machine, where `prolly` is not on the path of its shell.
PROGRAM_VARIABLE = "PROLLY_REMOTE_PROGRAM"

# Long enough for a password to be typed, and for a comparison of large trees.
SILENT_SECONDS = 180.0
# A program whose input ended has nothing more to do.
STOP_SECONDS = 5.0

# Of what a program complains, its last words are shown.
COMPLAINT_BYTES_MAX = 2000


class StreamRemote(Remote):
    """A line to a program that answers on its standard output.

    ``command`` is its words; without it ``url`` is an ``ssh://`` one, which says where
    to run what (Invalid ``remote-url``). The program is started by the first ``ask``,
    and again after an exchange that was left or broke.
    """

    def __init__(self, url: str, command: Sequence[str] | None = None) -> None:
        super().__init__(url)
        self._command = ssh_command(url) if command is None else list(command)
        self._running: _Running | None = None

    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        running = self._running or self._start()
        # Until the reply has ended, nothing else can be asked over this process.
        self._running = None
        try:
            running.stream.send(request, body)
            yield from running.stream.receive()
        except (RemoteFailed, Corrupt) as error:
            running.stop()
            raise self._named(error, running.complaint()) from error
        except BaseException:
            running.stop()
            raise
        self._running = running

    def _start(self) -> _Running:
        try:
            running = _Running(self._command)
        except OSError as error:
            raise RemoteFailed(
                f"{self._command[0]} cannot be run: {error.strerror}",
                code="unreachable",
                hint=f"Install it, or name another in {SSH_VARIABLE}.",
                url=self.url,
            ) from error
        try:
            running.stream.greet()
        except RemoteFailed as error:
            running.stop()
            complaint = running.complaint()
            if error.code != "line-broken":
                raise self._named(error, complaint) from error
            raise RemoteFailed(
                f"{self.url} cannot be reached: {complaint or error.message}",
                code="unreachable",
                hint="Check the host, your keys, and whether prolly is installed "
                f"there; {PROGRAM_VARIABLE} says where.",
                url=self.url,
            ) from error
        except BaseException:
            running.stop()
            raise
        return running

    def _named(
        self, error: RemoteFailed | Corrupt, complaint: str
    ) -> RemoteFailed | Corrupt:
        """Return the error with the address, and what the program complained of."""
        said = f" ({complaint})" if complaint else ""
        return type(error)(
            f"{self.url}: {error.message}{said}",
            code=error.code,
            hint=error.hint,
            url=self.url,
        )

    def close(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.stop()


class _Running:
    """A program under way, with pipes to both its ends."""

    def __init__(self, command: Sequence[str]) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
            )
        except BaseException:
            self._errors.close()
            raise
        source, target = self._process.stdout, self._process.stdin
        assert source is not None and target is not None, "both are pipes"
        self.stream = PipeStream(source.fileno(), target.fileno(), SILENT_SECONDS)
        self._said: str | None = None

    def complaint(self) -> str:
        """Return the last line of what the program complained of, but for a hint."""
        return self._said or ""

    def stop(self) -> None:
        """Close the pipes and wait for the program; kill it if it does not end."""
        process = self._process
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None, "both are pipes"
            with suppress(OSError):
                pipe.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._said is None:
            self._said = _last_line(self._errors)
            self._errors.close()


def _last_line(errors: IO[bytes]) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - COMPLAINT_BYTES_MAX))
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    # prolly itself prints an error and behind it a hint for who called it there.
    told = [line for line in lines if not line.startswith("hint: ")]
    last = told[-1] if told else ""
    return "".join(one if one.isprintable() else " " for one in last)


def ssh_command(url: str) -> list[str]:
    """Return the words that serve ``ssh://[USER@]HOST[:PORT]/PATH`` over pipes.

    ``/~/PATH`` is below the home of whoever logs in. Raises Invalid ``remote-url``:
    without host or path, or where a part would be read as an option.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad_url(url, str(error)) from error
    place = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc
    host, path = unquote(place), unquote(parts.path)
    if parts.password is not None:
        raise _bad_url(url.replace(parts.password, "..."), "ssh asks for passwords")
    if parts.scheme != "ssh" or not parts.hostname or len(path) < 2:
        raise _bad_url(url, "it wants a host and a path")
    for part in (host, unquote(parts.hostname)):
        # It would be an option, which can run any program.
        if part.startswith("-") or not part.isprintable() or " " in part:
            raise _bad_url(url, "that is no name of a host")
    if not path.isprintable():
        raise _bad_url(url, "its path has control characters")
    # A login begins in the home of the user.
    below_home = path.startswith("/~/")
    path = path.removeprefix("/~/") if below_home else path
    program = os.environ.get(PROGRAM_VARIABLE) or "prolly"
    serving = f"{program} remote-serve -- {shlex.quote(path or '.')}"
    words = _words(os.environ.get(SSH_VARIABLE) or "ssh")
    ports = ["-p", str(port)] if port is not None else []
    return [*words, *ports, "--", host.replace("[", "").replace("]", ""), serving]


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise Invalid(
            f"{SSH_VARIABLE} is no command: {error}",
            code="ssh-command",
            hint='Give words such as "ssh -i key".',
        ) from error
    return words or ["ssh"]


def _bad_url(url: str, problem: str) -> Invalid:
    return Invalid(
        f"{url!r} is no address of a repository: {problem}",
        code="remote-url",
        hint="Give one such as ssh://user@host/path/to/repository.",
        url=url,
    )
