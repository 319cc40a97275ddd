"""One HTTP connection of a server: who opens it must say soon what it is for.

uvicorn waits for the head of a request as long as it takes, so that clients who open
connections and send little or nothing would hold all places. Once a head is there, the
limits of the exchange hold: of its body, and of its reply.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

# A head is a few hundred bytes, and is sent at once.
HEAD_SECONDS = 20.0


class HttpConnection(H11Protocol):
    """uvicorn's protocol, which closes where no head came for ``HEAD_SECONDS``.

    The time runs from the connection on, and from the first byte of a later head; an
    idle connection between two requests has a limit of its own.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes; if they end within a head, the rest is waited for."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._await_head()
        else:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Go on; what came behind the request may be the beginning of another."""
        super().on_response_complete()
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle and self.conn.trailing_data[0]:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        super().connection_lost(exc)
        self._stop_waiting()

    def _await_head(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
