"""The setting that names the current branch."""

from __future__ import annotations

import pytest

from prolly.errors import Corrupt
from prolly.repo import read_current_branch
from prolly.testing.repositories import memory_repository


def test_the_name_is_what_was_chosen() -> None:
    """None before any choice, then the branch that was switched to."""
    repo = memory_repository()
    assert read_current_branch(repo.store) is None and repo.head == "main"
    repo.create_branch("caf\u00e9")
    repo.switch("caf\u00e9")
    assert read_current_branch(repo.store) == repo.head == "caf\u00e9"


def test_bytes_that_are_no_name_are_corrupt() -> None:
    """Corrupt store-entry with advice that works: a branch may be chosen anew."""
    repo = memory_repository()
    repo.store.write_setting("head", b"m\xe4in")
    with pytest.raises(Corrupt) as caught:
        _ = repo.head
    assert caught.value.code == "store-entry" and "switch" in caught.value.hint
    repo.switch("main")
    assert repo.head == "main"
