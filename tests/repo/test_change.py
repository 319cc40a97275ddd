"""A change tells what became of one record."""

from __future__ import annotations

import pytest

from prolly.maps import ABSENT
from prolly.repo import Change
from prolly.repo.change import is_restored


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [(ABSENT, 1, "added"), (1, ABSENT, "removed"), (None, 1, "modified")],
)
def test_kind(old: object, new: object, kind: str) -> None:
    """Its kind follows from the sides that are there; null is a value."""
    assert Change("m", 1, old, new).kind == kind


def test_only_a_row_is_stored_in_another_way() -> None:
    """A modified row without fields is only stored anew; a value of a map differs."""
    assert is_restored(Change("t", 1, {}, {}), "table")
    assert not is_restored(Change("t", 1, {}, {}, ("a",)), "table")
    assert not is_restored(Change("t", 1, {}, ABSENT), "table")
    assert not is_restored(Change("m", 1, 1, 2), "map")
