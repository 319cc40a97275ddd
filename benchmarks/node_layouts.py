"""Compare leaf layouts: encode, whole decode, first lookup, scan of decoded values.

Run with ``python -m benchmarks.node_layouts``. One leaf holds 64 entries of 117 B of
incompressible payload (17-byte text key, 100-byte value), the shape of the record in
the performance targets. Every figure is the median of nine repeats.
"""

from __future__ import annotations

import bisect
import random
import statistics
import sys
import timeit
from array import array
from collections.abc import Callable
from functools import partial
from itertools import accumulate, pairwise

import cbor2

Entries = tuple[list[bytes], list[bytes]]
Encode = Callable[[list[bytes], list[bytes]], bytes]
Decode = Callable[[bytes], Entries]


def common_prefix(first: bytes, last: bytes) -> bytes:
    """Return the longest common prefix of a sorted node's first and last key."""
    limit = min(len(first), len(last))
    if first[:limit] == last[:limit]:
        return first[:limit]
    low = next(i for i in range(limit) if first[i] != last[i])
    return first[:low]


def offsets(parts: list[bytes]) -> bytes:
    ends = array("I", accumulate(map(len, parts)))
    if sys.byteorder == "big":
        ends.byteswap()
    return ends.tobytes()


def cut(ends: bytes, data: bytes) -> list[bytes]:
    view = array("I", ends)
    return [data[i:j] for i, j in pairwise([0, *view])]


def encode_offsets(keys: list[bytes], values: list[bytes]) -> bytes:
    """The first draft: prefix, end offsets and joined bytes, in one CBOR array."""
    prefix = common_prefix(keys[0], keys[-1])
    tails = [key[len(prefix) :] for key in keys]
    columns = [
        prefix,
        offsets(tails),
        b"".join(tails),
        offsets(values),
        b"".join(values),
        b"",
    ]
    return b"\x01" + cbor2.dumps(columns)


def decode_offsets(data: bytes) -> Entries:
    prefix, key_ends, tails, value_ends, values, _ = cbor2.loads(data[1:])
    keys = [prefix + tail for tail in cut(key_ends, tails)]
    return keys, cut(value_ends, values)


def encode_pairs(keys: list[bytes], values: list[bytes]) -> bytes:
    """The plainest: one CBOR array of key, value, key, value."""
    flat = [b""] * (2 * len(keys))
    flat[0::2] = keys
    flat[1::2] = values
    return b"\x01" + cbor2.dumps(flat)


def decode_pairs(data: bytes) -> Entries:
    flat = cbor2.loads(data[1:])
    return flat[0::2], flat[1::2]


def encode_arrays(keys: list[bytes], values: list[bytes]) -> bytes:
    """Prefix, array of key suffixes, array of values, reference bits."""
    prefix = common_prefix(keys[0], keys[-1])
    if prefix:
        size = len(prefix)
        keys = [key[size:] for key in keys]
    return b"\x01" + cbor2.dumps([prefix, keys, values, b""])


def decode_arrays(data: bytes) -> Entries:
    prefix, keys, values, _ = cbor2.loads(data[1:])
    if prefix:
        keys = [prefix + key for key in keys]
    return keys, values


def encode_embedded(keys: list[bytes], values: list[bytes]) -> bytes:
    """As ``arrays``, each array inside a byte string so one can be left undecoded."""
    prefix = common_prefix(keys[0], keys[-1])
    size = len(prefix)
    tails = cbor2.dumps([key[size:] for key in keys])
    return b"\x01" + cbor2.dumps([prefix, tails, cbor2.dumps(values), b""])


def decode_embedded(data: bytes) -> Entries:
    prefix, keys, values, _ = cbor2.loads(data[1:])
    return [prefix + key for key in cbor2.loads(keys)], cbor2.loads(values)


def encode_mixed(keys: list[bytes], values: list[bytes]) -> bytes:
    """Prefix, array of key suffixes, value end offsets, concatenated values."""
    prefix = common_prefix(keys[0], keys[-1])
    size = len(prefix)
    tails = [key[size:] for key in keys]
    columns = [prefix, tails, offsets(values), b"".join(values), b""]
    return b"\x01" + cbor2.dumps(columns)


def decode_mixed(data: bytes) -> Entries:
    prefix, tails, value_ends, values, _ = cbor2.loads(data[1:])
    return [prefix + tail for tail in tails], cut(value_ends, values)


def find_mixed(data: bytes, key: bytes) -> bytes:
    prefix, tails, value_ends, values, _ = cbor2.loads(data[1:])
    position = bisect.bisect_left(tails, key[len(prefix) :])
    spans = memoryview(value_ends).cast("I")
    return bytes(values[spans[position - 1] if position else 0 : spans[position]])


def find_arrays(data: bytes, key: bytes) -> bytes:
    prefix, tails, values, _ = cbor2.loads(data[1:])
    return bytes(values[bisect.bisect_left(tails, key[len(prefix) :])])


def find_offsets(data: bytes, key: bytes) -> bytes:
    """Search the offsets lazily: no list of keys is made."""
    prefix, key_ends, tails, value_ends, values, _ = cbor2.loads(data[1:])
    suffix = key[len(prefix) :]
    ends = memoryview(key_ends).cast("I")
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if tails[ends[middle - 1] if middle else 0 : ends[middle]] < suffix:
            low = middle + 1
        else:
            high = middle
    spans = memoryview(value_ends).cast("I")
    return bytes(values[spans[low - 1] if low else 0 : spans[low]])


def find_decoded(decode: Decode) -> Callable[[bytes, bytes], bytes]:
    def find(data: bytes, key: bytes) -> bytes:
        keys, values = decode(data)
        return values[bisect.bisect_left(keys, key)]

    return find


def find_embedded(data: bytes, key: bytes) -> bytes:
    prefix, keys, values, _ = cbor2.loads(data[1:])
    position = bisect.bisect_left(cbor2.loads(keys), key[len(prefix) :])
    value: bytes = cbor2.loads(values)[position]
    return value


Find = Callable[[bytes, bytes], bytes]
LAYOUTS: dict[str, tuple[Encode, Decode, Find]] = {
    "offsets": (encode_offsets, decode_offsets, find_offsets),
    "pairs": (encode_pairs, decode_pairs, find_decoded(decode_pairs)),
    "arrays": (encode_arrays, decode_arrays, find_arrays),
    "mixed": (encode_mixed, decode_mixed, find_mixed),
    "embedded": (encode_embedded, decode_embedded, find_embedded),
}


def microseconds(work: Callable[[], object]) -> float:
    runs = timeit.repeat(work, number=2000, repeat=9)
    return statistics.median(runs) / 2000 * 1e6


def sample(count: int) -> Entries:
    source = random.Random(0)
    numbers = sorted(source.sample(range(10**6), count))
    keys = [b"\x02key:%012d\x00" % (7_000_000 + number) for number in numbers]
    return keys, [cbor2.dumps(source.randbytes(98)) for _ in keys]


def main() -> None:
    keys, values = sample(64)
    probe = keys[40]
    print("layout     bytes  encode  decode  lookup  decode+values  edit   (us)")
    for name, (encode, decode, find) in LAYOUTS.items():
        data = encode(keys, values)
        assert decode(data) == (keys, values)
        assert find(data, probe) == values[40]

        def edit(
            data: bytes = data, encode: Encode = encode, decode: Decode = decode
        ) -> bytes:
            edited_keys, edited_values = decode(data)
            edited_values[40] = values[41]
            return encode(edited_keys, edited_values)

        def decoded(data: bytes = data, decode: Decode = decode) -> object:
            raw = decode(data)[1]
            return cbor2.loads(b"\x98" + bytes([len(raw)]) + b"".join(raw))

        row = (
            microseconds(partial(encode, keys, values)),
            microseconds(partial(decode, data)),
            microseconds(partial(find, data, probe)),
            microseconds(decoded),
            microseconds(edit),
        )
        print(f"{name:10} {len(data):5}  " + "  ".join(f"{x:6.2f}" for x in row))


if __name__ == "__main__":
    main()
