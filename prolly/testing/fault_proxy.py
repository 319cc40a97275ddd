"""A proxy on loopback that counts what passes, and cuts connections on cue."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from types import TracebackType

READ_BYTES = 64 * 1024


class FaultProxy:
    """Passes connections on to a port of this machine; a context manager.

    ``up`` and ``down`` count the bytes from clients and to them, ``cuts`` how often a
    connection was cut because one of them had grown by what ``cut`` was told.
    """

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads: list[Thread] = []
        self._cue: dict[str, int | None] = {"up": None, "down": None}
        self._left = dict(self._cue)
        self._times = 0
        self.cuts = 0
        self.up = 0
        self.down = 0
        self.connections = 0
        self._start(self._accept)

    @property
    def port(self) -> int:
        """Where the proxy listens."""
        return int(self._listener.getsockname()[1])

    def url(self, url: str) -> str:
        """Return the URL of the target as it is behind the proxy."""
        path = url.split("/", 3)[3]
        return f"http://127.0.0.1:{self.port}/{path}"

    def cut(
        self, *, up: int | None = None, down: int | None = None, times: int = 1
    ) -> None:
        """Cut the connection after so many more bytes, so many times in a row."""
        with self._lock:
            self._cue = {"up": up, "down": down}
            self._left, self._times = dict(self._cue), times

    def close(self) -> None:
        """Take no more connections and cut those that there are."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for pair in self._pairs:
            _cut(*pair)
        for thread in self._threads:
            thread.join()
        for pair in self._pairs:
            for one in pair:
                one.close()

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self, function: Callable[..., None], *arguments: object) -> None:
        thread = Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs.append((client, server))
            self.connections += 1
            self._start(self._pump, client, server, "up")
            self._start(self._pump, server, client, "down")

    def _pump(
        self, source: socket.socket, target: socket.socket, direction: str
    ) -> None:
        while True:
            try:
                data = source.recv(READ_BYTES)
            except OSError:
                data = b""
            passing, is_cut = self._count(data, direction)
            try:
                target.sendall(passing)
            except OSError:
                is_cut = True
            if is_cut:
                _cut(source, target)
                return
            if not data:
                with suppress(OSError):
                    target.shutdown(socket.SHUT_WR)
                return

    def _count(self, data: bytes, direction: str) -> tuple[bytes, bool]:
        """Return what passes of some bytes, and whether the cut comes behind it."""
        with self._lock:
            left = self._left[direction]
            is_cut = left is not None and len(data) >= left
            if left is not None:
                data = data[:left]
                self._left[direction] = left - len(data)
            if is_cut:
                self.cuts += 1
                self._times -= 1
                if not self._times:
                    self._cue = {"up": None, "down": None}
                self._left = dict(self._cue)
            if direction == "up":
                self.up += len(data)
            else:
                self.down += len(data)
        return data, is_cut


def _cut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
