"""A filling store asks for what is absent, once a read, and for nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from prolly.chunks import FillingStore, MemoryStore, VerifyingStore, what_is_here
from prolly.codec import address_of
from prolly.errors import Corrupt

HERE, THERE, NOWHERE = b"\3here", b"\3there", b"\3nowhere"


class Elsewhere:
    """Has one chunk, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[list[bytes]] = []

    def __call__(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        self.asked.append(list(addresses))
        return [THERE if one == address_of(THERE) else None for one in addresses]


@pytest.fixture
def store() -> MemoryStore:
    """A store with one chunk."""
    store = MemoryStore()
    with store.writer() as writer:
        writer.put(HERE)
        writer.commit()
    return store


def test_only_what_is_absent_is_asked_for(store: MemoryStore) -> None:
    """Reads through store and writer ask for it in one go, in the order of the read."""
    elsewhere = Elsewhere()
    filling = FillingStore(store, elsewhere)
    here, there, nowhere = map(address_of, (HERE, THERE, NOWHERE))
    assert filling.get(here) == HERE and elsewhere.asked == []
    assert filling.get(there) == THERE
    assert filling.get_many([there, here, nowhere]) == [THERE, HERE, None]
    with filling.writer() as writer:
        own = writer.put(b"\3own")
        assert writer.get_many([own, there, here]) == [b"\3own", THERE, HERE]
        assert writer.get(own) == b"\3own"
        assert writer.get(nowhere) is None
    asked = [[there], [there, nowhere], [there], [nowhere]]
    assert elsewhere.asked == asked
    assert filling.contains_many([here, there]) == [True, False]
    assert elsewhere.asked == asked


def test_what_is_here_asks_nobody(store: MemoryStore) -> None:
    """Under any wrappers, and the same store where nothing is filled."""
    elsewhere = Elsewhere()
    wrapped = VerifyingStore(FillingStore(store, elsewhere))
    assert wrapped.get(address_of(THERE)) == THERE
    assert what_is_here(wrapped).get(address_of(THERE)) is None
    assert len(elsewhere.asked) == 1
    plain = VerifyingStore(store)
    assert what_is_here(plain) is plain


def test_other_bytes_are_not_believed(store: MemoryStore) -> None:
    """Over a filling store stands a verifying one."""
    lying = VerifyingStore(FillingStore(store, lambda asked: [b"\3lie"] * len(asked)))
    with pytest.raises(Corrupt):
        lying.get(address_of(THERE))
