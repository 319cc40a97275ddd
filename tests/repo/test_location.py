"""Where a repository lives: an address is no directory, and nothing is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from prolly.errors import Invalid
from prolly.repo import create_repository, open_repository, refuse_address


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/office", "ssh://host/office", "file:///data/office"]
)
def test_an_address_is_no_directory(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither made nor opened; the hint says how to come by it."""
    monkeypatch.chdir(tmp_path)
    for function in (create_repository, open_repository):
        with pytest.raises(Invalid) as caught:
            function(url)
        assert caught.value.code == "file-path" and "clone" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_paths_are_no_addresses(tmp_path: Path) -> None:
    """Colons and doubled slashes are allowed in the names of directories."""
    for path in (tmp_path, "C:/data", "a:b", "//a", "data//b", ":///"):
        refuse_address(path)
