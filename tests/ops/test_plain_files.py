"""The door: formats by name, standard streams, and what is refused."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from prolly.errors import Invalid
from prolly.ops import FORMATS, open_table, write_table
from prolly.ops.format_names import TEXT_FORMATS
from prolly.tables import COLUMN_TYPES

COLUMNS = [("a", COLUMN_TYPES["int"]), ("b", COLUMN_TYPES["text"])]
ROWS = [[1, "x"], [2, "y"]]


@pytest.mark.parametrize(
    ("form", "suffix"),
    [(form, end) for form in TEXT_FORMATS for end in ("", ".gz", ".zst")]
    + [(form, "") for form in FORMATS[len(TEXT_FORMATS) :]],
)
def test_a_file_of_each_format_comes_back(
    tmp_path: Path, form: str, suffix: str
) -> None:
    """What write_table wrote, open_table reads, plain or compressed."""
    path = tmp_path / f"out.{form}{suffix}"
    write_table(path, COLUMNS, ROWS, "sqlite:t" if form == "sqlite" else None)
    magic = {"": b"", ".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}[suffix]
    assert path.read_bytes().startswith(magic)
    with open_table(path) as source:
        assert source.format_name == form
        assert [one.type_name for one in source.infer()] == ["int", "text"]
        kinds = [str, str] if source.text_cells else [int, str]
        assert [list(map(type, row)) for _, row in source] == [kinds, kinds]


def test_the_dash_is_a_standard_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """``-`` reads standard input, compressed or not, and writes standard output."""
    packed = gzip.compress(b"a,b\n1,x\n")
    stdin = SimpleNamespace(buffer=io.BytesIO(packed))
    monkeypatch.setattr("sys.stdin", stdin)
    with open_table("-", "csv") as source:
        assert list(source) == [(2, ["1", "x"])]
        assert source.files[0].name == "standard input"
    stdout = SimpleNamespace(buffer=io.BytesIO())
    monkeypatch.setattr("sys.stdout", stdout)
    write_table("-", COLUMNS, ROWS, "csv")
    assert stdout.buffer.getvalue() == b"a,b\n1,x\n2,y\n"


def test_an_unclear_format_is_refused(tmp_path: Path) -> None:
    """No name, an unknown suffix and an unknown format raise format-unknown."""
    for place, form in (("-", None), (tmp_path / "x.xyz", None), ("x.csv", "xml")):
        with pytest.raises(Invalid) as caught:
            open_table(place, form)
        assert caught.value.code == "format-unknown"
        with pytest.raises(Invalid):
            write_table(place, COLUMNS, ROWS, form)


def test_files_of_several_formats_are_refused(tmp_path: Path) -> None:
    """One import, one format."""
    with pytest.raises(Invalid) as caught:
        open_table([tmp_path / "a.csv", tmp_path / "b.json"])
    assert caught.value.code == "mixed-formats"


@pytest.mark.parametrize(("suffix", "code"), [("gz", "bad-gzip"), ("zst", "bad-zst")])
def test_a_false_archive_is_refused(tmp_path: Path, suffix: str, code: str) -> None:
    """A name that says compressed over bytes that are not is an error, not a guess."""
    path = tmp_path / f"x.csv.{suffix}"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(Invalid) as caught:
        open_table(path)
    assert caught.value.code == code


@pytest.mark.parametrize("form", ["parquet", "arrow", "sqlite"])
def test_formats_with_their_own_compression_are_not_packed(
    tmp_path: Path, form: str
) -> None:
    """An archive around Parquet, Arrow or SQLite is refused on both ways."""
    path = tmp_path / f"x.{form}.gz"
    with pytest.raises(Invalid) as caught:
        write_table(path, COLUMNS, ROWS)
    assert caught.value.code == "format-compressed"
    assert not path.exists()
    path.write_bytes(gzip.compress(b"whatever"))
    with pytest.raises(Invalid) as caught:
        open_table(path)
    assert caught.value.code == "format-compressed"


def test_one_bad_file_closes_the_others(tmp_path: Path) -> None:
    """When the second file is missing, the first stream's copy is let go."""
    with pytest.raises(Exception, match="No such file"):
        open_table([io.BytesIO(b"a\n1\n"), tmp_path / "absent"], "csv")
