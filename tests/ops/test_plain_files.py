"""The door: formats by name, standard streams, and what is refused."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from prolly.errors import Invalid
from prolly.ops import FORMATS, format_of_name, open_table, write_table
from prolly.tables import COLUMN_TYPES

COLUMNS = [("a", COLUMN_TYPES["int"]), ("b", COLUMN_TYPES["text"])]
ROWS = [[1, "x"], [2, "y"]]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("x.csv", "csv"),
        ("dir.json/x.TSV", "tsv"),
        ("x.csv.gz", "csv"),
        ("x.ndjson.GZ", "jsonl"),
        ("x.jsonl", "jsonl"),
        ("x.json", "json"),
        ("x.tab", "tsv"),
        ("x.gz", None),
        ("csv", None),
        ("-", None),
        ("x.parquet", None),
    ],
)
def test_the_name_tells_the_format(name: str, wanted: str | None) -> None:
    """The last suffix but .gz counts, in either case."""
    assert format_of_name(name) == wanted


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_file_of_each_format_comes_back(
    tmp_path: Path, form: str, suffix: str
) -> None:
    """What write_table wrote, open_table reads, plain or compressed."""
    path = tmp_path / f"out.{form}{suffix}"
    write_table(path, COLUMNS, ROWS)
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == bool(suffix)
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


def test_a_false_gz_is_refused(tmp_path: Path) -> None:
    """A name that says gzip over bytes that are not is an error, not a guess."""
    path = tmp_path / "x.csv.gz"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(Invalid) as caught:
        open_table(path)
    assert caught.value.code == "bad-gzip"


def test_one_bad_file_closes_the_others(tmp_path: Path) -> None:
    """When the second file is missing, the first stream's copy is let go."""
    with pytest.raises(Exception, match="No such file"):
        open_table([io.BytesIO(b"a\n1\n"), tmp_path / "absent"], "csv")
