"""Resolvers: what they answer, and what becomes of those that fail."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.errors import Corrupt, Invalid
from prolly.maps import ABSENT
from prolly.merge import REASON_CHARS_MAX, UNRESOLVED, Clash
from prolly.merge.clash import ask, shortened, storable
from prolly.merge.values import Outcome

CLASH = Clash("prices", "tea", 1, 2, 3)


@pytest.mark.parametrize("answer", [5, None, ABSENT, UNRESOLVED, "text"])
def test_an_answer_is_taken_as_it_is(answer: Any) -> None:
    """Null is an answer, and so are ABSENT and UNRESOLVED."""
    assert ask(lambda clash: answer, CLASH) == (answer, "")


def test_a_resolver_sees_the_clash() -> None:
    """Dataset, key and the three versions."""
    outcome = ask(lambda one: (one.dataset, one.key, one.ours + one.theirs), CLASH)
    assert outcome.value == ("prices", "tea", 5)


def test_a_resolver_that_raises_leaves_the_conflict() -> None:
    """The error is named, shortened to the limit, and does not go on."""

    def fail(clash: Clash) -> Any:
        raise KeyError("x" * 1000 + "\ud800")

    value, reason = ask(fail, CLASH)
    assert value is UNRESOLVED
    assert reason.startswith("KeyError: ") and reason.endswith("...")
    assert len(reason) == REASON_CHARS_MAX


def test_reasons_are_cut_past_the_limit() -> None:
    """At the limit a reason stays whole."""
    assert shortened("x" * REASON_CHARS_MAX) == "x" * REASON_CHARS_MAX
    assert len(shortened("x" * (REASON_CHARS_MAX + 1))) == REASON_CHARS_MAX
    assert shortened("a\ud800b") == "a?b"


def test_an_error_that_does_not_print_is_told_by_its_type() -> None:
    """Its text is code of the application, too."""

    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def fail(clash: Clash) -> Any:
        raise Silent

    assert ask(fail, CLASH) == (UNRESOLVED, "Silent")


def test_a_resolver_gets_copies() -> None:
    """What it does to its argument is seen in its answer alone."""
    clash = Clash("prices", "tea", [], ["o"], ["t"], merged={"a": []})

    def edit(one: Clash) -> Any:
        one.merged["a"].append(1)
        one.ours.extend(one.theirs)
        return one.ours

    assert ask(edit, clash).value == ["o", "t"]
    assert (clash.ours, clash.merged) == (["o"], {"a": []})


def test_a_fault_of_the_store_is_no_matter_of_the_answer() -> None:
    """Corrupt goes on; what is wrong with the answer leaves the conflict."""

    def store(error: Exception) -> Outcome:
        raise error

    corrupt = Corrupt("broken", code="chunk", hint="Restore it.")
    with pytest.raises(Corrupt):
        storable(lambda: store(corrupt))
    invalid = Invalid("no value", code="value-type", hint="Give one.")
    assert storable(lambda: store(invalid)) == (UNRESOLVED, "no value")
    assert storable(lambda: store(KeyError("x"))) == (UNRESOLVED, "KeyError: 'x'")


def test_an_interruption_goes_on() -> None:
    """Ctrl-C in a resolver ends the merge."""

    def stop(clash: Clash) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(stop, CLASH)
