"""One history that uses every part of the format, made the same each time.

Built from a clock that stands still and no randomness, so that its commit ids are what
the format makes of it, and nothing else: a version of the format that is frozen gives
the ids that it always gave. Never change what is written here; a later part of the
format gets a history of its own.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import shake_128
from itertools import count
from typing import Any
from uuid import UUID

import prolly
from prolly.env import Environment
from prolly.repo import Repository, Transaction

from .repositories import EPOCH_US

RECORDS = 300
ROWS = 200
# Enough long keys for three levels of nodes; compressed they take no room.
MANY = 3_000
BLOB_BYTES = 50_000
# Longer than what stays in a record, and than what stays in a row.
LONG_BYTES = 5_000

VALUES: dict[Any, Any] = {
    None: None,
    False: True,
    -1: 0,
    2**70: -(2**70),
    -0.5: 1e300,
    "": "text",
    "h\u00e9": {"list": [1, 2.5, None], "map": {"a": {"b": b"c"}}},
    b"\x00\xff": b"bytes",
    Decimal("1.10"): Decimal("-1E+3"),
    date(2026, 1, 31): datetime(2026, 1, 31, 12, 30, 0, 5, tzinfo=UTC),
    UUID(int=7): UUID(int=2**128 - 1),
    ("a", 1, None): ["tuple", "key"],
}

SCHEMA = {
    "columns": [
        {"name": "id", "type": "int"},
        {"name": "name", "type": "text", "nullable": False},
        {"name": "open", "type": "bool", "fill": True},
        {"name": "height", "type": "float"},
        {"name": "price", "type": "decimal"},
        {"name": "seal", "type": "bytes"},
        {"name": "day", "type": "date"},
        {"name": "moment", "type": "datetime"},
        {"name": "serial", "type": "uuid"},
        {"name": "extra", "type": "json"},
        {"name": "country", "type": "text"},
    ],
    "key": ["id"],
    "indexes": [
        {"name": "by_name", "columns": ["name"], "unique": True},
        {"name": "by_day", "columns": ["day", "open"]},
    ],
    "checks": [{"name": "named", "where": "name prefix 'n'"}],
    "references": [{"name": "of", "columns": ["country"], "table": "countries"}],
}


def still_environment() -> Environment:
    """Return an environment whose clock stands and whose random bytes are counted."""
    drawn = count()

    def counted(size: int) -> bytes:
        return shake_128(b"%d" % next(drawn)).digest(size)

    return Environment(
        now_us=lambda: EPOCH_US,
        random_bytes=counted,
        user=lambda: "keeper",
        named_user=lambda: "",
        sleep=lambda seconds: None,
    )


def content(name: str, size: int) -> bytes:
    """Return bytes without a pattern, the same for the same name."""
    return shake_128(name.encode()).digest(size)


def record(number: int, version: int = 0) -> tuple[str, bytes]:
    """Return the key and the value of one of many records."""
    return f"record/{number:06}", content(f"{number}.{version}", 24 + number % 40)


def long_key(number: int) -> str:
    """Return a key that fills inner nodes."""
    return f"{number:06}" + "x" * 500


def row(number: int) -> dict[str, Any]:
    """Return one row of the table, with nulls here and there."""
    made = {
        "id": number,
        "name": f"name {number}",
        "open": number % 3 == 0,
        "height": number / 7,
        "price": Decimal(number).scaleb(-2),
        "seal": content(f"seal {number}", number % 50),
        "day": date(2026, 1 + number % 12, 1 + number % 28),
        "moment": datetime(2026, 1, 1, number % 24, tzinfo=UTC),
        "serial": UUID(bytes=content(f"serial {number}", 16)),
        "extra": {"number": number, "list": [None, "x" * (number % 5)]},
        "country": ("US", "CH", None)[number % 3],
    }
    if number % 11 == 0:
        made["height"] = made["extra"] = None
    return made


def write_history(repo: Repository) -> None:
    """Write all of it into a repository that has its first commit and nothing more."""
    with repo.transaction("main", message="everything once") as tx:
        _write_datasets(tx)
    repo.tags["v1"] = repo.resolve("main")
    repo.create_branch("feature", "main")
    with repo.transaction("main", message="ours") as tx:
        _write_ours(tx)
    with repo.transaction("feature", message="theirs") as tx:
        _write_theirs(tx)
    repo.create_branch("resolved", "main")
    merged = repo.merge("feature", into="resolved")
    assert merged.status == "conflicts", "both sides changed the name of row 5"
    conflicts = repo.conflicts("resolved")
    conflicts.settle("cities", 5, "theirs")
    conflicts.commit("settled by hand")
    repo.create_branch("kept", "main")
    repo.merge("feature", into="kept", policy="keep-both")
    with repo.transaction("kept", message="another shape") as tx:
        changes = tx.table("cities").alter(force=True)
        changes.drop_column("seal")
        changes.rename_column("height", "metres")
        changes.add_column("note", "text", fill="none")
        changes.widen_column("open", "text")
    _write_unfinished(repo)


def _write_unfinished(repo: Repository) -> None:
    """Leave what is in no commit: local data, a stash, and a merge with conflicts."""
    with repo.transaction("main", message="local data make no commit") as tx:
        tx.map("drafts", local=True)["a"] = "here alone"
    area = repo.working_area("feature")
    with area.edit("put") as workspace:
        workspace.map("records")["put"] = b"aside"
    repo.stash.push("put aside", branch="feature")
    repo.merge("feature", into="main")


def _write_datasets(tx: Transaction) -> None:
    values = tx.map("values")
    values.update(VALUES)
    values["long"] = content("long", LONG_BYTES)
    tx.map("records").update(record(number) for number in range(RECORDS))
    tx.map("many").update((long_key(number), number) for number in range(MANY))
    tx.map("empty").clear()
    names = {"US": "United States", "CH": "Switzerland"}
    countries = tx.table("countries", key="code")
    countries.load([{"code": code, "name": name} for code, name in names.items()])
    cities = tx.table("cities", schema=prolly.Schema.from_json(SCHEMA))
    cities.load([row(number) for number in range(ROWS)])
    cities.patch(7, {"seal": content("long seal", LONG_BYTES)})
    tx.blob("picture").write(content("picture", BLOB_BYTES))
    files = tx.files("model")
    files.write("readme.txt", b"hello\n", mode=0o644, mtime_ns=EPOCH_US * 1000)
    weights = content("weights", 8_000)
    files.write("deep/er/weights.bin", weights, mode=0o600, mtime_ns=1)
    files.write("deep/empty", b"", mode=0o755, mtime_ns=0)
    tx.map("counters").update({"clicks": 10, "views": 10})
    tx.map("sets").update({"tags": ["a", "b"], "stamped": "first"})
    tx.map("text")["page"] = "one\ntwo\nthree\n"
    for dataset, policy, prefix in (
        ("counters", "counter", None),
        ("sets", "set", None),
        ("text", "text", None),
        ("stamped", "last-writer-wins", None),
        ("tagged", "set:add-wins", None),
        ("values", "max", "t"),
    ):
        tx.map(dataset)
        tx.set_policy(dataset, policy, prefix=prefix)
    tx.map("stamped")["word"] = "first"
    tx.map("tagged")["tags"] = ["a"]


def _write_ours(tx: Transaction) -> None:
    tx.map("records").update(record(number, 1) for number in range(0, RECORDS, 47))
    tx.map("counters")["clicks"] = 13
    tx.map("sets")["tags"] = ["a", "b", "c"]
    tx.map("text")["page"] = "ONE\ntwo\nthree\n"
    tx.map("stamped")["word"] = "ours"
    tx.map("tagged")["tags"] = ["a", "ours"]
    tx.table("cities").patch(5, {"name": "name of ours"})
    tx.table("cities").patch(6, {"price": Decimal("6.5")})
    tx.table("cities").delete(8)
    tx.blob("picture").insert(b"in front")
    tx.files("model").rename("readme.txt", "README")


def _write_theirs(tx: Transaction) -> None:
    tx.map("records").update(record(number, 2) for number in range(1, RECORDS, 47))
    del tx.map("records")[record(50)[0]]
    tx.map("many").update((long_key(number), None) for number in range(0, MANY, 500))
    for number in range(1_200, 1_300):
        del tx.map("many")[long_key(number)]
    tx.map("counters").update({"clicks": 11, "views": 9})
    tx.map("sets")["tags"] = ["b", "d"]
    tx.map("text")["page"] = "one\ntwo\nTHREE\n"
    tx.map("stamped")["word"] = "theirs"
    tx.map("tagged")["tags"] = ["a", "theirs"]
    tx.table("cities").patch(5, {"name": "name of theirs"})
    tx.table("cities").patch(6, {"day": date(2026, 2, 2)})
    tx.table("cities").load(
        [row(number) for number in range(ROWS, ROWS + 20)], mode="append"
    )
    tx.files("model").write("deep/new", b"new", mode=0o644, mtime_ns=2)
