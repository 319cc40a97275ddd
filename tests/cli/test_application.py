"""Resolvers of an application, as ``--app`` brings them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

APP = """
import prolly
app = prolly.App()
other = 5

@app.resolver("shout")
def shout(clash):
    return clash.ours.upper() + clash.theirs.upper()

@app.resolver("broken")
def broken(clash):
    raise RuntimeError("no idea")

@app.resolver("rubbish")
def rubbish(clash):
    return object()
"""


# What it prints, it prints where notes are printed.
TALKATIVE = """
import prolly
print("loading")
app = prolly.App()

@app.resolver("talks")
def talks(clash):
    print("resolving", clash.key)
    return clash.theirs

@app.resolver("ends")
def ends(clash):
    print("ending")
    raise SystemExit(3)
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module with an App, beside the current directory's files."""
    place = tmp_path / "here"
    place.mkdir()
    (place / "merge_rules_of_a_test.py").write_text(APP)
    (place / "merge_rules_that_talk.py").write_text(TALKATIVE)
    (place / "merge_rules_that_end.py").write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(str(place))
    return "merge_rules_of_a_test"


def test_an_app_brings_resolvers(forked: Run, rules: str) -> None:
    """--app MODULE:NAME, before or after the command, is asked by name."""
    forked("policy", "settings", "app:shout")
    forked("commit", "-m", "policy")
    forked("merge", "feature", "--policy", "ours", "--app", f"{rules}:app")
    value = forked("get", "settings", "theme", "--json").document["value"]
    assert value == "LIGHTGREY"


@pytest.mark.parametrize(
    ("name", "reason"), [("broken", "RuntimeError: no idea"), ("rubbish", "object")]
)
def test_a_resolver_that_fails_leaves_the_conflict(
    forked: Run, rules: str, name: str, reason: str
) -> None:
    """Its error, or what cannot stand there, is the reason; all else is merged."""
    forked("policy", "settings", f"app:{name}")
    forked("commit", "-m", "policy")
    words = ("merge", "feature", "--policy", "ours")
    forked("--app", f"{rules}:app", *words, code=1)
    [line] = forked("conflicts", "--json").lines
    assert reason in line["reason"]


@pytest.mark.parametrize(
    "spelt",
    ["merge_rules_of_a_test", ":app", "no_such_module_at_all:app", "json:loads"]
    + [f"merge_rules_of_a_test:{name}" for name in ("other", "missing", "")]
    + ["merge_rules_that_end:app"],
)
def test_what_is_no_app_is_refused(forked: Run, rules: str, spelt: str) -> None:
    """A form, module, name or type that is wrong is an error that says which."""
    refused = forked("merge", "feature", "--app", spelt, "--json", code=2)
    assert refused.error["code"] == "app"
    assert spelt in refused.error["message"]


@pytest.mark.parametrize(("name", "code"), [("talks", 0), ("ends", 1)])
def test_what_a_resolver_prints_is_no_answer(
    forked: Run, rules: str, name: str, code: int
) -> None:
    """It goes to standard error, and one that ends the program fails as any other."""
    assert rules
    forked("policy", "settings", f"app:{name}")
    forked("commit", "-m", "policy")
    words = ("merge", "feature", "--policy", "ours", "--json")
    answer = forked("--app", "merge_rules_that_talk:app", *words, code=code)
    assert isinstance(answer.document, dict)
    assert ("resolving" if name == "talks" else "ending") in answer.err
    if code:
        [line] = forked("conflicts", "--json").lines
        assert line["reason"] == "SystemExit: 3"
