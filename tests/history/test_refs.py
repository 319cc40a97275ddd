"""Names of branches and tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Invalid
from prolly.history import NAME_BYTES_MAX, check_name


@pytest.mark.parametrize(
    "name", ["main", "feature/x", "v1.0", "ä", "1", "n" * NAME_BYTES_MAX]
)
def test_good_names_pass(name: str) -> None:
    """Names that people use are taken as they are."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "HEAD",
        "@",
        "-x",
        "a..b",
        "a~1",
        "a^",
        "a:b",
        "a b",
        "a//b",
        "/a",
        "a/",
        "./a",
        "a\nb",
        "a*",
        "a@{1}",
        "n" * (NAME_BYTES_MAX + 1),
        chr(0xD800),
        "a\\b",
    ],
)
def test_bad_names_are_refused(name: str) -> None:
    """Names that a revision expression or a shell would misread are Invalid."""
    with pytest.raises(Invalid) as caught:
        check_name(name)
    assert caught.value.code == "ref-name"
    assert caught.value.hint


@given(st.text(max_size=20))
def test_any_text_is_a_name_or_invalid(name: str) -> None:
    """No text makes the check fail in another way."""
    try:
        assert check_name(name) == name
    except Invalid as error:
        assert error.ref == name
