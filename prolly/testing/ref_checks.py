"""The part of the store suite that is about names: refs, reflog and settings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from prolly.chunks import REF_NAME_BYTES_MAX, RefLogEntry, RefMove, RefNote, Store
from prolly.errors import Invalid, LimitExceeded, Stale

from .chunk_checks import add

ONE, TWO, THREE = (bytes([number]) * 32 for number in (1, 2, 3))


class RefChecks:
    """Names move by compare-and-set, several in one step, and every move is logged."""

    def test_ref_is_made_moved_and_removed(self, store: Store) -> None:
        """None stands for the absent ref on both sides of a move."""
        assert store.read_ref("main") is None
        store.move_refs([RefMove("main", None, ONE)])
        assert store.read_ref("main") == ONE
        store.move_refs([RefMove("main", ONE, TWO)])
        assert store.read_ref("main") == TWO
        store.move_refs([RefMove("main", TWO, None)])
        assert store.read_ref("main") is None
        assert list(store.iter_refs()) == []

    def test_stale_names_what_stands(self, store: Store) -> None:
        """Stale carries the ref, what was expected and what is there."""
        store.move_refs([RefMove("main", None, ONE)])
        for expected in (None, TWO):
            with pytest.raises(Stale) as caught:
                store.move_refs([RefMove("main", expected, THREE)])
            assert caught.value.code == "ref-moved"
            assert caught.value.ref == "main"
            assert caught.value.expected == expected
            assert caught.value.actual == ONE
        with pytest.raises(Stale):
            store.move_refs([RefMove("other", ONE, None)])

    def test_several_move_in_one_step(self, store: Store) -> None:
        """All moves of a step happen under one number, or none does."""
        store.move_refs([RefMove("a", None, ONE), RefMove("b", None, ONE)])
        with pytest.raises(Stale):
            store.move_refs([RefMove("a", ONE, TWO), RefMove("b", TWO, THREE)])
        assert dict(store.iter_refs()) == {"a": ONE, "b": ONE}
        assert store.sequence() == 1

    def test_equal_sides_are_a_check(self, store: Store) -> None:
        """old == new moves and logs nothing, and is Stale where it does not hold."""
        store.move_refs([RefMove("a", None, ONE)])
        checks = [RefMove("a", ONE, ONE), RefMove("gone", None, None)]
        assert store.move_refs(checks) == 1
        assert store.writer().commit(checks) == 1
        for wrong in (RefMove("a", TWO, TWO), RefMove("a", None, None)):
            with pytest.raises(Stale):
                store.move_refs([RefMove("b", None, ONE), wrong])
        assert store.read_ref("b") is None
        assert len(list(store.iter_log())) == 1

    def test_sequence_counts_commits_that_move(self, store: Store) -> None:
        """The number grows by one with a commit that moves refs, however many."""
        assert store.sequence() == 0
        assert store.writer().commit() == 0
        assert store.move_refs([RefMove("a", None, ONE), RefMove("b", None, ONE)]) == 1
        assert store.writer().commit([RefMove("a", ONE, TWO)]) == 2
        add(store, b"only a chunk")
        assert store.sequence() == 2

    def test_refs_come_in_order_by_prefix(self, store: Store) -> None:
        """iter_refs sorts by the bytes of the name and keeps to the prefix."""
        names = ["a", "a/b", "a/c", "ab", "b", "z", "ä", "€", "\U0001f600"]
        store.move_refs([RefMove(name, None, ONE) for name in reversed(names)])
        assert [name for name, _ in store.iter_refs()] == names
        assert list(store.iter_refs("a/")) == [("a/b", ONE), ("a/c", ONE)]
        assert [name for name, _ in store.iter_refs("ä")] == ["ä"]
        assert list(store.iter_refs("nothing")) == []

    @pytest.mark.parametrize("name", ["", "a\nb", "a\0b", "\x7f", "\ud800"])
    def test_bad_names_are_refused(self, store: Store, name: str) -> None:
        """Empty names, control characters and lone surrogates are Invalid."""
        for call in (
            lambda: store.move_refs([RefMove(name, None, ONE)]),
            lambda: store.writer().commit([RefMove(name, None, ONE)]),
            lambda: store.read_ref(name),
            lambda: store.iter_log(name),
            lambda: store.write_setting(name, b""),
            lambda: store.read_setting(name),
        ):
            with pytest.raises(Invalid) as caught:
                call()
            assert caught.value.code == "ref-name"

    def test_name_lengths(self, store: Store) -> None:
        """A name at the limit works everywhere; one byte more is refused."""
        longest = "é" * (REF_NAME_BYTES_MAX // 2)
        store.move_refs([RefMove(longest, None, ONE)])
        store.write_setting(longest, b"value")
        assert store.read_ref(longest) == ONE
        assert len(list(store.iter_log(longest))) == 1
        with pytest.raises(LimitExceeded):
            store.move_refs([RefMove(longest + "x", None, ONE)])

    def test_bad_moves_are_refused(self, store: Store) -> None:
        """One name twice, or an address of another length, is Invalid."""
        twice = [RefMove("a", None, ONE), RefMove("a", ONE, TWO)]
        for moves in (twice, [RefMove("a", None, b"short")]):
            with pytest.raises(Invalid):
                store.move_refs(moves)
            with pytest.raises(Invalid):
                store.writer().commit(moves)
        assert list(store.iter_refs()) == []

    def test_log_tells_each_move(self, store: Store) -> None:
        """The reflog gives every move, newest first, with its note."""
        store.move_refs([RefMove("a", None, ONE)], RefNote("ann", "begin", 5))
        with store.writer() as writer:
            moves = [RefMove("a", ONE, TWO), RefMove("a/b", None, ONE)]
            writer.commit(moves, RefNote("bob", "go on", 6))
        store.move_refs([RefMove("a", TWO, None)])
        newest = RefLogEntry(3, "a", TWO, None, "", "", 0)
        second = RefLogEntry(2, "a", ONE, TWO, "bob", "go on", 6)
        first = RefLogEntry(1, "a", None, ONE, "ann", "begin", 5)
        other = RefLogEntry(2, "a/b", None, ONE, "bob", "go on", 6)
        assert list(store.iter_log("a")) == [newest, second, first]
        assert list(store.iter_log("a/b")) == [other]
        assert list(store.iter_log()) == [newest, other, second, first]
        assert list(store.iter_log("never")) == []

    def test_many_refs_and_moves(self, store: Store) -> None:
        """Thousands of refs, and of moves in one step, are all there, in order."""
        names = [f"r/{number:05}" for number in range(2300)]
        store.move_refs([RefMove(name, None, ONE) for name in names])
        store.move_refs([RefMove(name, ONE, TWO) for name in names])
        assert [name for name, _ in store.iter_refs()] == names
        assert [entry.name for entry in store.iter_log()] == names[::-1] * 2
        assert len(list(store.iter_log(names[7]))) == 2

    def test_settings(self, store: Store) -> None:
        """A setting is bytes, replaced or removed at once; it is no ref."""
        assert store.read_setting("x") is None
        store.write_setting("x", b"one")
        store.write_setting("x", b"")
        assert store.read_setting("x") == b""
        store.write_setting("x", None)
        store.write_setting("x", None)
        assert store.read_setting("x") is None
        assert store.sequence() == 0

    def test_own_settings_of_the_store_are_refused(self, store: Store) -> None:
        """Names that begin with ``store.`` cannot be written."""
        with pytest.raises(Invalid) as caught:
            store.write_setting("store.format", b"9")
        assert caught.value.code == "setting-reserved"

    def test_racing_threads_lose_nothing(self, store: Store) -> None:
        """Of two moves from one value one wins; with retries all are made."""

        def raise_once() -> int:
            lost = 0
            while True:
                old = store.read_ref("counter")
                number = int.from_bytes(old or b"", "big") + 1
                try:
                    store.move_refs([RefMove("counter", old, number.to_bytes(32))])
                except Stale:
                    lost += 1
                else:
                    return lost

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: raise_once(), range(24)))
        assert store.read_ref("counter") == (24).to_bytes(32)
        assert store.sequence() == 24

    def test_closed_store_refuses_everything(self, store: Store) -> None:
        """After close each call raises Invalid closed, except a second close."""
        store.close()
        store.close()
        for call in (
            lambda: store.get(ONE),
            lambda: store.get_many([ONE]),
            lambda: store.contains_many([ONE]),
            lambda: store.iter_addresses(),
            lambda: store.writer(),
            lambda: store.read_ref("a"),
            lambda: store.iter_refs(),
            lambda: store.move_refs([]),
            lambda: store.iter_log(),
            lambda: store.sequence(),
            lambda: store.read_setting("a"),
            lambda: store.write_setting("a", b""),
        ):
            with pytest.raises(Invalid) as caught:
                call()
            assert caught.value.code == "closed"
