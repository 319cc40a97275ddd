"""What came, and behind it what is here: one way to read both."""

from __future__ import annotations

from collections.abc import Sequence

from prolly.chunks import ChunkWriter, Store

from .quarantine import Quarantine


class Received:
    """Reads chunks of a quarantine first, then those of a store, or of its batch."""

    def __init__(self, quarantine: Quarantine, behind: Store | ChunkWriter) -> None:
        self._quarantine = quarantine
        self._behind = behind

    def get(self, address: bytes) -> bytes | None:
        """Return a chunk, ``None`` where it neither came nor is here."""
        chunk = self._quarantine.get(address)
        return self._behind.get(address) if chunk is None else chunk

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        """Return such chunks in the order asked; ``None`` where absent."""
        found = self._quarantine.get_many(addresses)
        pairs = list(zip(addresses, found, strict=True))
        rest = [address for address, chunk in pairs if chunk is None]
        others = iter(self._behind.get_many(rest) if rest else ())
        return [next(others) if chunk is None else chunk for _, chunk in pairs]
