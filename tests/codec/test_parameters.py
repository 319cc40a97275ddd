"""Tree parameters and what makes them valid."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.codec import DEFAULT_PARAMETERS, FORMAT_PARAMETERS, TreeParameters
from prolly.codec.parameters import SEED_MAX, WEIGHT_MAX_MOST, WEIGHT_MIN_LEAST
from prolly.errors import Corrupt, Invalid


def test_the_defaults_are_those_of_the_format() -> None:
    """Equal data, equal roots everywhere: bounds and seed are fixed numbers."""
    assert DEFAULT_PARAMETERS == TreeParameters(4080, 12240, 0) == FORMAT_PARAMETERS


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ((WEIGHT_MIN_LEAST, 12240, 0), (WEIGHT_MIN_LEAST - 1, 12240, 0)),
        ((4080, 6120, 0), (4080, 6119, 0)),
        ((4080, WEIGHT_MAX_MOST, 0), (4080, WEIGHT_MAX_MOST + 1, 0)),
        ((4080, 12240, SEED_MAX), (4080, 12240, SEED_MAX + 1)),
        ((4080, 12240, 0), (4080, 12240, -1)),
        ((4080, 12240, 1), (4080, 12240, True)),
        ((4080, 12240, 1), (4080.0, 12240, 1)),
        ((4080, 12240, 1), (4080, "12240", 1)),
    ],
)
def test_bounds_hold_at_the_limit_and_one_past_it(inside: Any, outside: Any) -> None:
    """What is just valid comes back; what is just not is refused in both directions."""
    parameters = TreeParameters(*inside)
    assert TreeParameters.from_value(parameters.to_value()) == parameters
    with pytest.raises(Invalid) as caught:
        TreeParameters(*outside)
    assert caught.value.code == "tree-parameters"
    with pytest.raises(Corrupt):
        TreeParameters.from_value(list(outside))


@pytest.mark.parametrize("value", [None, [], [4080, 12240], {}, "x", (4080, 12240, 0)])
def test_a_value_of_another_shape_is_corrupt(value: Any) -> None:
    """Parameters are an array of three integers."""
    with pytest.raises(Corrupt):
        TreeParameters.from_value(value)
