"""Files that lost: their names, and what stands under those already."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prolly.datasets import Manifest
from prolly.maps import FILE_NAME_BYTES_MAX, FILE_PATH_BYTES_MAX, Files
from prolly.merge import ManifestMerge, Rules
from prolly.merge.lost_files import beside
from prolly.repo import Transaction
from prolly.testing.three_versions import Step, ThreeVersions
from prolly.tree import NodeReader

PATHS = st.lists(
    st.text("aé.", min_size=1, max_size=300).filter(lambda part: part.strip(".")),
    min_size=1,
    max_size=6,
).map("/".join)


@given(PATHS.filter(lambda path: len(path.encode()) <= FILE_PATH_BYTES_MAX))
def test_the_name_of_a_lost_file_is_a_path(path: str) -> None:
    """It is another path, in the same directory where there is room, within limits."""
    made = beside(path, "~12345678")
    assert made != path and made.endswith("~12345678")
    Files.encode_key(object.__new__(Files), made)
    assert len(made.encode()) <= FILE_PATH_BYTES_MAX
    assert len(made.rpartition("/")[2].encode()) <= FILE_NAME_BYTES_MAX


def entries(reader: NodeReader, merge: ManifestMerge) -> dict[str, bytes]:
    """Return the files of ``f`` by path."""
    entry = Manifest(reader, merge.root).require("f")
    files = Files(reader, entry.roots[0].address)
    return {path: files.read(path) for path in files}


def merged(base: Step, ours: Step, theirs: Step) -> dict[str, bytes]:
    """Merge files as replicas do it; either side may be called ours."""
    versions = ThreeVersions(base, ours, theirs)
    rules = Rules(on_conflict="keep-both")
    made = [versions.merge(rules, swapped) for swapped in (False, True)]
    assert made[0].root == made[1].root
    return entries(versions.reader, made[0])


def writes(**files: bytes | None) -> Step:
    """Return a step that writes files by name, ``_`` for ``~``; None deletes."""

    def step(tx: Transaction) -> None:
        for name, content in files.items():
            if content is None:
                del tx.files("f")[name.replace("_", "~")]
            else:
                tx.files("f").write(name.replace("_", "~"), content, mtime_ns=5)

    return step


@given(st.sampled_from([b"person", b"loser", b"winner", None]), st.booleans())
def test_what_somebody_did_to_a_copy_stays(then: bytes | None, is_beside: bool) -> None:
    """Edited, deleted or left: whoever lost again has its content, under some name."""
    first = merged(writes(a=b"0"), writes(a=b"1"), writes(a=b"2"))
    [copy] = [path for path in first if path != "a"]
    winner, loser = first["a"], first[copy]
    content = {b"loser": loser, b"winner": winner}.get(then or b"", then)
    edit = writes(**{copy.replace("~", "_"): content})

    def base(tx: Transaction) -> None:
        writes(a=b"0", **{copy.replace("~", "_"): loser})(tx)
        if not is_beside:
            edit(tx)

    def ours(tx: Transaction) -> None:
        writes(a=winner)(tx)
        if is_beside:
            edit(tx)

    found = merged(base, ours, writes(a=loser))
    assert found.pop("a") == winner
    if then is None and is_beside:
        assert found == {}
    elif then is None:
        assert found == {copy: loser}
    else:
        assert found.pop(copy) == content
        assert list(found.values()) == ([] if content == loser else [loser])


def test_a_file_that_merely_has_the_name_stays() -> None:
    """Made by ours where the copy would go: both are there."""
    [copy] = set(merged(writes(a=b"0"), writes(a=b"1"), writes(a=b"2"))) - {"a"}
    own = {copy.replace("~", "_"): b"mine"}
    found = merged(writes(a=b"0"), writes(a=b"1", **own), writes(a=b"2"))
    assert found[copy] == b"mine" and len(found) == 3
    assert {b"1", b"2", b"mine"} == set(found.values())
