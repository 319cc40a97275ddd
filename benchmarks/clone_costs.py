"""What a clone over loopback costs beside its time: bytes on the line, memory of both.

    python -m benchmarks.clone_costs [--records 1M] [--form map,table] [--seed 1]

A server and a client, each a process of its own; memory is the peak of their anonymous
resident memory, and the bytes are those of the sync protocol, without heads of HTTP.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .__main__ import parse_counts, parse_forms
from .process import anonymous_bytes
from .prolly_engine import ProllyEngine
from .records import PAYLOAD_BYTES, Form, Records
from .sync_workloads import SERVING

CLONING = """
import sys, time, prolly
began = time.perf_counter()
with prolly.clone(sys.argv[1], sys.argv[2]) as repository:
    seconds = time.perf_counter() - began
    print(seconds, repository.cloned.bytes_received, repository.cloned.round_trips)
"""
SEED_DEFAULT = 1
LOOK_S = 0.005
MB = 1e6


def main(words: Sequence[str] | None = None) -> None:
    """Clone a store of each form and size, and print a line for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=parse_counts, default="1M")
    parser.add_argument("--form", type=parse_forms, default=["map", "table"])
    parser.add_argument("--seed", type=int, default=SEED_DEFAULT)
    options = parser.parse_args(words)
    for count in options.records:
        for form in options.form:
            print(line(Records(options.seed, count, form)), flush=True)


def line(records: Records) -> str:
    """Return what one clone cost, in words."""
    with tempfile.TemporaryDirectory() as scratch:
        source, copy = Path(scratch) / "source", Path(scratch) / "copy"
        _load(source, records)
        return _cloned(source, copy, records.form, records.count)


def _load(source: Path, records: Records) -> None:
    engine = ProllyEngine(source, records.form)
    engine.create()
    engine.load(records.records(range(records.count)), ordered=True)
    engine.close()


def _cloned(source: Path, copy: Path, form: Form, count: int) -> str:
    pipe = subprocess.PIPE
    serving = [sys.executable, "-c", SERVING, str(source)]
    server = subprocess.Popen(serving, stdin=pipe, stdout=pipe, text=True)
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        cloning = [sys.executable, "-c", CLONING, url, str(copy)]
        client = subprocess.Popen(cloning, stdout=pipe, text=True)
        peaks = [0, 0]
        while client.poll() is None:
            found = [anonymous_bytes(one.pid) for one in (server, client)]
            peaks = list(map(max, peaks, found))
            time.sleep(LOOK_S)
        seconds, received, trips = map(float, client.communicate()[0].split())
    finally:
        server.communicate()
    payload = count * PAYLOAD_BYTES
    return (
        f"{form}, {count:,} records: {payload / MB / seconds:.1f} MB/s, "
        f"{received / MB:.1f} MB for {payload / MB:.1f} MB of records, "
        f"{trips:.0f} round trips, memory of the server {peaks[0] / MB:.0f} MB, "
        f"of the client {peaks[1] / MB:.0f} MB"
    )


if __name__ == "__main__":
    main()
