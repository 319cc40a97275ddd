"""A bundle file read: nothing in it is believed, and nothing is written to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from blake3 import blake3

from prolly.chunks import RefMove
from prolly.codec import address_of
from prolly.codec.bundle import BUNDLE_MAGIC, BundleHead, encode_bundle_end
from prolly.codec.pack import FRAME_HEADER_BYTES, INDEX_ENTRY_BYTES, encode_pack
from prolly.errors import Corrupt, Denied, Error, Invalid, NotFound, ReadOnly
from prolly.sync.bundle_file import BundleFile

CHUNKS = [b"\x01one", b"\x01two" * 50, b"\x01three"]


def bundle(
    path: Path, packs: list[bytes], head: BundleHead | None = None, *, lead: bytes = b""
) -> Path:
    """Write a bundle of packs."""
    told = head or BundleHead(tuple(map(len, packs)), (), {"tags/t": bytes(32)})
    path.write_bytes(BUNDLE_MAGIC + lead + b"".join(packs) + encode_bundle_end(told))
    return path


def refused(path: Path) -> Error:
    """Return what opening or reading all of a bundle raises."""
    with pytest.raises(Error) as raised, BundleFile(path) as opened:
        for address in opened.iter_addresses():
            opened.get(address)
    return raised.value


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_chunks_are_found_in_every_pack(tmp_path: Path, cut: int) -> None:
    """Packs back to back are one store, each chunk under its address."""
    packs = [encode_pack(CHUNKS[:cut]), encode_pack(CHUNKS[cut:], compress=True)]
    with BundleFile(bundle(tmp_path / "b", packs)) as opened:
        addresses = [address_of(chunk) for chunk in CHUNKS]
        assert opened.get_many(addresses) == CHUNKS
        assert opened.get(bytes(32)) is None
        assert opened.contains_many([*addresses, bytes(32)]) == [True] * 3 + [False]
        assert list(opened.iter_addresses()) == sorted(addresses)
        assert len(opened) == 3
        assert opened.size == os.path.getsize(tmp_path / "b")


def test_refs_are_those_of_the_head(tmp_path: Path) -> None:
    """A bundle has refs, and no reflog, settings or sequence."""
    refs = {"tags/b": bytes(32), "branches/a": bytes([1]) * 32}
    path = bundle(tmp_path / "b", [], BundleHead((), (), refs))
    with BundleFile(path) as opened:
        assert dict(opened.iter_refs()) == refs
        assert [name for name, _ in opened.iter_refs("tags/")] == ["tags/b"]
        assert opened.read_ref("tags/b") == bytes(32)
        assert opened.read_ref("tags/c") is None
        assert list(opened.iter_log()) == [] and opened.sequence() == 0
        assert opened.read_setting("x") is None


def test_nothing_is_written_to_it(tmp_path: Path) -> None:
    """Writers, moves and settings are ReadOnly."""
    with BundleFile(bundle(tmp_path / "b", [])) as opened:
        for write in (
            opened.writer,
            lambda: opened.move_refs([RefMove("tags/x", None, bytes(32))]),
            lambda: opened.write_setting("x", b""),
        ):
            with pytest.raises(ReadOnly):
                write()


def test_use_after_close_is_refused(tmp_path: Path) -> None:
    """Whatever reads the file raises ``closed``; closing twice is fine."""
    opened = BundleFile(bundle(tmp_path / "b", [encode_pack(CHUNKS)]))
    opened.close()
    opened.close()
    for use in (opened.iter_addresses, opened.iter_refs, lambda: opened.size):
        with pytest.raises(Invalid) as raised:
            use()
        assert raised.value.code == "closed"


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    """Whatever byte is changed, opening or reading says Corrupt, and nothing else."""
    path = bundle(tmp_path / "b", [encode_pack(CHUNKS, compress=True)])
    right = path.read_bytes()
    for place in range(len(right)):
        wrong = bytearray(right)
        wrong[place] ^= 0x21
        path.write_bytes(wrong)
        assert isinstance(refused(path), Corrupt), place


def test_a_cut_file_is_found(tmp_path: Path) -> None:
    """A file that was not copied to its end is no bundle."""
    path = bundle(tmp_path / "b", [encode_pack(CHUNKS)])
    right = path.read_bytes()
    for size in range(0, len(right), 7):
        path.write_bytes(right[:size])
        assert isinstance(refused(path), Corrupt)


def test_lengths_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    """Packs fill the file between magic and head, each to its own end."""
    pack = encode_pack(CHUNKS)
    size = len(pack)
    wrong = [
        bundle(tmp_path / "1", [pack], BundleHead((size - 1,), (), {})),
        bundle(tmp_path / "2", [pack], BundleHead((size + 1,), (), {})),
        bundle(tmp_path / "3", [pack], BundleHead((), (), {})),
        bundle(tmp_path / "4", [pack], BundleHead((size, size), (), {})),
        bundle(tmp_path / "5", [pack], BundleHead((2**50,), (), {})),
        bundle(tmp_path / "6", [pack], lead=b"x"),
        bundle(tmp_path / "7", [pack[:10]]),
    ]
    for path in wrong:
        assert isinstance(refused(path), Corrupt)


def test_a_lie_about_an_address_is_found(tmp_path: Path) -> None:
    """An index that names another address is as good as a hash: not believed."""
    pack = encode_pack(CHUNKS[:1])
    other = pack.replace(address_of(CHUNKS[0]), bytes(32))
    start = FRAME_HEADER_BYTES + len(CHUNKS[0])
    index = other[start : start + INDEX_ENTRY_BYTES]
    other = other[:-32] + blake3(index).digest()
    error = refused(bundle(tmp_path / "b", [other]))
    assert error.code == "hash-mismatch"


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    """A path to nothing, or to a directory, has an error of its own."""
    with pytest.raises(NotFound) as raised:
        BundleFile(tmp_path / "none")
    assert raised.value.code == "no-file"
    with pytest.raises(Error) as other:
        BundleFile(tmp_path)
    assert not isinstance(other.value, Denied)
