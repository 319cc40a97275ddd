"""What came is read before what is here, whichever way it is asked for."""

from __future__ import annotations

from prolly.chunks import MemoryStore
from prolly.codec import address_of
from prolly.sync.quarantine import Quarantine
from prolly.sync.received import Received

CAME, HERE, BOTH, ABSENT = b"\x03came", b"\x03here", b"\x03both", b"\x03absent"


def test_both_are_read_in_the_order_asked() -> None:
    """Chunks of quarantine and batch come in order, absent ones as None."""
    store = MemoryStore()
    quarantine = Quarantine.of_upload(store, b"upload")
    for chunk in (CAME, BOTH):
        quarantine.put(address_of(chunk), chunk)
    with store.writer() as writer:
        writer.put_many([HERE, BOTH])
        received = Received(quarantine, writer)
        asked = [address_of(one) for one in (HERE, ABSENT, CAME, BOTH, HERE)]
        found = received.get_many(asked)
        assert found == [HERE, None, CAME, BOTH, HERE]
        assert [received.get(one) for one in asked] == found
    assert Received(quarantine, store).get(address_of(HERE)) is None
    quarantine.remove()
