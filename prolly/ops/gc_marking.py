"""What a collection must keep: all that is reachable, and all that is young.

Kept are the chunks reachable from

- every ref, of every kind: branches, tags, remotes, working states, stashes;
- both ends of every move in the reflog that is younger than the grace, so what a ref
  stood for outlives its loss by the grace;
- every chunk that nothing reaches and that is young itself: in the index, or in a pack
  written within the grace. It was committed without a name, which somebody may be about
  to give.

So what is kept is closed under links at every instant, and so is what is in the store,
but for what a partial replica left out; what it is said to have must be there.
Memory: one ``AddressSet`` of what is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from prolly.chunks import COVERAGE_REF, Store
from prolly.codec import ADDRESS_BYTES, decode_coverage, links_of
from prolly.errors import Corrupt
from prolly.repo import Absences, absences_of, require_covered
from prolly.tree import WALK_ADDRESSES, AddressSet, reachable

if TYPE_CHECKING:
    from prolly.chunks import LocalMaintenance, PackFile, SweepView

GetMany = Callable[[list[bytes]], list[bytes | None]]

# Addresses looked up at once.
LOOKUP_ADDRESSES = 4096


class Marking:
    """The chunks that a collection keeps. ``cutoff_us`` is where the grace begins.

    Without it (``None``) there is no grace, and what no ref reaches goes.
    """

    def __init__(
        self, store: Store, care: LocalMaintenance, cutoff_us: int | None
    ) -> None:
        self.kept = AddressSet()
        self.reached = 0
        # The newest move of the reflog that does not count any more.
        self.expired_sequence = 0
        self.commits = care.commits()
        self._store = store
        self._absences = absences_of(store)
        self._care = care
        self._cutoff_us = cutoff_us

    def mark(self) -> None:
        """Keep what refs and the young part of the reflog reach.

        Raises Corrupt when a part of that is missing or damaged: then nothing can be
        said of what may go. A second call keeps what came since the first.
        """
        self.commits = self._care.commits()
        require_covered(self._store)
        before = len(self.kept)
        self._follow(address for _, address in self._store.iter_refs())
        self._follow(self._present(self._young_moves()))
        self.reached += len(self.kept) - before

    def mark_young(self, files: dict[int, PackFile]) -> None:
        """Keep what nothing reaches and what is young, with all below it."""
        if self._cutoff_us is None:
            return
        for address, pack, _size in self._care.iter_placed():
            if address not in self.kept and self._is_young(files.get(pack), pack):
                self._hold(address, self._store.get_many)

    def condemned(self, files: dict[int, PackFile]) -> tuple[bytearray, int]:
        """Return the addresses of all else, back to back, and their bytes."""
        addresses, size_total = bytearray(), 0
        for address, pack, size in self._care.iter_placed():
            if address in self.kept or self._is_young(files.get(pack), pack):
                continue
            addresses += address
            size_total += size
        return addresses, size_total

    def is_current(self) -> bool:
        """Tell whether nothing was committed since ``mark`` began."""
        return self._care.commits() == self.commits

    def sparing(
        self, condemned: bytearray
    ) -> Callable[[SweepView], Callable[[bytes], bool]]:
        """Return the last look, for inside the sweep.

        Where nothing was committed since ``mark``, on which the condemned are founded,
        all of them go. Else what new refs reach is kept; and chunks that came without
        being reached are held with all below them, or what they link to might go.
        """

        def spare(view: SweepView) -> Callable[[bytes], bool]:
            if view.commits() == self.commits:
                return lambda _address: False
            if self._absences is not None:
                self._absences = _absences_in(view)
            self._follow(view.ref_targets(), view.get_many)
            if self._cutoff_us is not None:
                moved = view.logged_after(self.commits.sequence)
                self._follow(self._present(moved, view.get_many), view.get_many)
            known = _each(condemned)
            doomed = next(known, None)
            for address in view.iter_addresses():
                while doomed is not None and doomed < address:
                    doomed = next(known, None)
                if address != doomed and address not in self.kept:
                    self._hold(address, view.get_many)
            return self.kept.__contains__

        return spare

    def _young_moves(self) -> Iterator[bytes]:
        """Yield the ends of the moves within the grace.

        A move is as young as any move before it: clocks go back, and some moves were
        made without one.
        """
        waiting: list[bytes] = []
        self.expired_sequence = self.commits.sequence
        if self._cutoff_us is None:
            return
        for entry in self._store.iter_log():
            waiting += [end for end in (entry.old, entry.new) if end is not None]
            if entry.time_us > self._cutoff_us:
                self.expired_sequence = entry.sequence - 1
                yield from waiting
                waiting = []

    def _is_young(self, file: PackFile | None, pack: int) -> bool:
        if self._cutoff_us is None:
            return False
        return not pack or file is None or file.written_us > self._cutoff_us

    def _present(
        self, addresses: Iterable[bytes], get_many: GetMany | None = None
    ) -> Iterator[bytes]:
        """Yield the addresses whose chunks are there: others were pruned before."""
        new = [one for one in dict.fromkeys(addresses) if one not in self.kept]
        for start in range(0, len(new), LOOKUP_ADDRESSES):
            block = new[start : start + LOOKUP_ADDRESSES]
            if get_many is None:
                found = self._store.contains_many(block)
            else:
                found = [chunk is not None for chunk in get_many(block)]
            yield from (
                one for one, is_there in zip(block, found, strict=True) if is_there
            )

    def _follow(self, roots: Iterable[bytes], get_many: GetMany | None = None) -> None:
        """Keep what is reachable from roots. Raises Corrupt."""
        for _chunk in reachable(
            get_many or self._store.get_many,
            roots,
            self.kept,
            pieces=False,
            batch_addresses=WALK_ADDRESSES,
            links=None if self._absences is None else self._absences.links,
        ):
            pass

    def _hold(self, address: bytes, get_many: GetMany) -> None:
        """Keep a chunk that nothing reaches, and all that is there below it.

        It may be anything: what is missing or does not decode links to nothing, and
        what stands beside it is followed all the same, so that what is kept stays
        closed under links.
        """
        front = [address]
        while front:
            one = front.pop()
            if one in self.kept:
                continue
            self.kept.add(one)
            (chunk,) = get_many([one])
            if chunk is None:
                continue
            with suppress(Corrupt):
                front += [link.address for link in links_of(chunk)]


def _absences_in(view: SweepView) -> Absences:
    """Return the absences of a partial replica at the instant of a sweep."""

    def shallow() -> frozenset[bytes]:
        address = view.read_ref(COVERAGE_REF)
        (chunk,) = view.get_many([] if address is None else [address]) or (None,)
        return decode_coverage(chunk or b"").shallow

    def contains(addresses: Sequence[bytes]) -> list[bool]:
        return [chunk is not None for chunk in view.get_many(list(addresses))]

    return Absences(shallow, contains)


def _each(addresses: bytearray) -> Iterator[bytes]:
    for at in range(0, len(addresses), ADDRESS_BYTES):
        yield bytes(addresses[at : at + ADDRESS_BYTES])
