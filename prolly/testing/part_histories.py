"""Random changes for tests of partial replicas: keys begin with one of few letters.

Every kind of dataset changes; the map ``m`` is the one of which parts are taken.
"""

from __future__ import annotations

import random

from prolly.repo import Repository

LETTERS = "abcdef"
KEYS = 900


def change(
    repo: Repository, source: random.Random, branch: str = "main", letter: str = ""
) -> None:
    """Commit a change of some records of ``m``, and of other datasets at times.

    With ``letter`` only of records of ``m`` whose keys begin with it.
    """
    with repo.transaction(branch, message=str(source.random())) as tx:
        records = tx.map("m")
        for _ in range(source.choice([1, 5, 40, 250])):
            key = f"{letter or source.choice(LETTERS)}{source.randrange(KEYS):05d}"
            if source.random() < 0.15:
                records.pop(key, None)
            else:
                records[key] = source.randbytes(source.choice([30, 90, 90, 300, 1_200]))
        if letter:
            return
        if source.random() < 0.4:
            tx.map("others")[source.randrange(50)] = source.random()
        if source.random() < 0.3:
            tx.blob("blob").write(source.randbytes(source.choice([10, 90_000])))
        if source.random() < 0.3:
            name = f"{source.choice(LETTERS)}{source.randrange(5)}"
            tx.files("files").write(name, source.randbytes(source.choice([10, 90_000])))
        if source.random() < 0.4:
            rows = [{"id": source.randrange(300), "n": source.randrange(9)}]
            tx.table("table", key="id").load(rows, mode="update")


def grown(repo: Repository, source: random.Random, commits: int) -> Repository:
    """Return a repository after some changes, some of them on a branch ``side``."""
    for _ in range(commits):
        change(repo, source)
    if source.random() < 0.5:
        back = min(source.randrange(3), commits)
        repo.create_branch("side", f"main~{back}")
        change(repo, source, "side")
    return repo
