"""Messages: what one side says the other reads, and nothing else is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly import errors
from prolly.codec import cbor
from prolly.codec.wire import FrameDecoder, FrameType, WireFrame
from prolly.codec.wire_edits import decode_edits
from prolly.codec.wire_messages import (
    ERROR_FACTS_MAX,
    ERROR_TEXT_CHARS_MAX,
    MESSAGE_ITEMS_MAX,
    Message,
    decode_bits,
    decode_chunks,
    decode_message,
    decode_payload,
    decode_wire_error,
    encode_bits,
    encode_chunk_frames,
    encode_message,
    encode_wire_error,
)
from prolly.errors import Corrupt, Error, RemoteFailed, Stale


def payload(frame: bytes) -> bytes:
    """Return the payload of one frame."""
    (found,) = FrameDecoder().feed(frame)
    return found.payload


@given(st.lists(st.booleans(), max_size=70))
def test_bits_come_back(flags: list[bool]) -> None:
    """And another number of them is refused."""
    data = encode_bits(flags)
    assert decode_bits(data, len(flags)) == flags
    with pytest.raises(Corrupt):
        decode_bits(data + b"\0", len(flags))


@given(st.lists(st.binary(min_size=1, max_size=40_000), min_size=1, max_size=5))
def test_chunks_come_back(chunks: list[bytes]) -> None:
    """In their order, in however many frames."""
    frames = encode_chunk_frames(FrameType.CHUNKS, chunks)
    assert [one for frame in frames for one in decode_chunks(payload(frame))] == chunks


@given(st.binary(max_size=60))
def test_any_bytes_are_chunks_or_corrupt(data: bytes) -> None:
    """A batch that its chunks do not fill is refused, and nothing else is raised."""
    try:
        chunks = decode_chunks(data)
    except Corrupt:
        return
    (frame,) = encode_chunk_frames(FrameType.CHUNKS, chunks)
    assert payload(frame) == data


@pytest.mark.parametrize("name", [one for one in errors.__all__ if one != "Error"])
def test_errors_come_back(name: str) -> None:
    """With class, code, hint and plain facts."""
    told = getattr(errors, name)("it is so", code="some-code", hint="Do.", ref="x", n=3)
    found = decode_wire_error(payload(encode_wire_error(told)))
    assert type(found) is type(told)
    assert (found.message, found.code, found.hint) == ("it is so", "some-code", "Do.")
    assert found.facts == {"ref": "x", "n": 3}


def test_errors_cannot_do_harm() -> None:
    """Unknown classes and codes become one; texts are clipped, marks taken out."""
    text = "\x1b[2J" + "x" * 5_000
    facts = {f"f{number}": text for number in range(50)} | {"a b": 1}
    found = decode_wire_error(
        payload(encode_wire_error(Stale(text, hint=text, ref=text)))
    )
    assert (
        found.message.startswith("?[2J") and len(found.message) == ERROR_TEXT_CHARS_MAX
    )
    fields = {
        "class": "SystemExit",
        "code": "A b",
        "message": "m",
        "hint": "h",
        "facts": facts,
    }
    odd = decode_wire_error(cbor.encode({**fields, "facts": facts}))
    assert (type(odd), odd.code) == (RemoteFailed, "remote-error")
    assert len(odd.facts) <= ERROR_FACTS_MAX
    own = dict.fromkeys(["self", "code", "hint", "message", "facts", "args"], 1)
    found = decode_wire_error(cbor.encode({**fields, "facts": own | {"class": 3}}))
    assert found.facts == {"class": 3}


@pytest.mark.parametrize("item", [b"\x80", b"\xa0", b"\x00", b"\x61a"])
def test_few_bytes_cannot_spell_a_message_of_many_items(item: bytes) -> None:
    """Deflated, a kilobyte would else take a gigabyte; strings may be as long."""
    for count, is_refused in ((MESSAGE_ITEMS_MAX - 3, False), (4_000_000, True)):
        spelt = cbor.array_header(count) + item * count
        frame = WireFrame(FrameType.REPLY, b"\xa1\x61x" + spelt, 0)
        if is_refused:
            with pytest.raises(Corrupt, match="items"):
                decode_message(frame, FrameType.REPLY)
            with pytest.raises(Corrupt, match="items"):
                decode_edits(spelt)
        else:
            assert len(decode_message(frame, FrameType.REPLY).fields["x"]) == count
    assert decode_payload(cbor.encode(bytes(4_000_000))) == bytes(4_000_000)


@given(
    st.dictionaries(
        st.sampled_from(["class", "code", "facts", "x"]), st.integers() | st.text()
    )
)
def test_any_map_is_an_error_or_corrupt(fields: dict[str, object]) -> None:
    """What tells of no error raises Corrupt, not something else."""
    try:
        assert isinstance(decode_wire_error(cbor.encode(fields)), Error)
    except Corrupt:
        return


def test_fields_have_types() -> None:
    """Each is taken by name and type, within its limit."""
    sent = {"t": "x", "n": 3, "b": True, "d": b"y", "a": bytes(64), "m": {"k": 1}}
    frame = WireFrame(
        FrameType.REPLY, payload(encode_message(FrameType.REPLY, sent)), 0
    )
    message = decode_message(frame, FrameType.REPLY)
    assert message.text("t") == "x" and message.number("n") == 3
    assert message.flag("b") and not message.flag("none")
    assert message.data("d", 1) == b"y" and message.mapping("m") == {"k": 1}
    assert message.addresses("a", 2) == [bytes(32)] * 2
    wrong = [
        lambda: message.text("n"),
        lambda: message.number("b"),
        lambda: Message({"n": -1}).number("n"),
        lambda: message.flag("t"),
        lambda: message.data("d", 2),
        lambda: message.addresses("a", 1),
        lambda: message.addresses("d", 1),
        lambda: message.mapping("t"),
        lambda: decode_message(frame, FrameType.REQUEST),
        lambda: decode_message(WireFrame(2, b"\x01", 0), FrameType.REPLY),
    ]
    for read in wrong:
        with pytest.raises(Corrupt):
            read()
