"""What an application brings: named resolvers."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.errors import AlreadyExists, Invalid
from prolly.merge import Clash
from prolly.repo import App


def test_resolvers_have_names() -> None:
    """The decorator returns the function, and the mapping gives it by its name."""
    app = App()

    @app.resolver("first")
    def first(clash: Clash) -> Any:
        return clash.ours

    assert app.resolvers == {"first": first}
    assert app.resolvers["first"] is first


def test_a_name_means_one_function() -> None:
    """A second one of the name is refused, and the first stays."""
    app = App()
    kept = app.resolver("x")(lambda clash: clash.ours)
    with pytest.raises(AlreadyExists) as caught:
        app.resolver("x")
    assert (caught.value.code, caught.value.name) == ("resolver-exists", "x")
    assert app.resolvers == {"x": kept}


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 256, "\ud800"])
def test_names_that_no_policy_could_give(name: str) -> None:
    """What cannot stand behind ``app:`` in a descriptor is refused."""
    with pytest.raises(Invalid) as caught:
        App().resolver(name)
    assert caught.value.code == "unknown-policy"
    assert App().resolver("x" * 255)


def test_the_mapping_is_for_reading() -> None:
    """Nobody adds a resolver past the checks."""
    resolvers: Any = App().resolvers
    with pytest.raises(TypeError):
        resolvers["x"] = max
