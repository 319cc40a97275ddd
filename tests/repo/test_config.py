"""Settings: known names, checked values, kept in the store, and heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from prolly.env import Environment
from prolly.errors import Invalid, LimitExceeded
from prolly.repo import (
    CONFIG_VALUE_BYTES_MAX,
    SETTINGS,
    Repository,
    create_repository,
    open_repository,
)
from prolly.testing.repositories import memory_repository


@pytest.fixture
def repo() -> Repository:
    return memory_repository()


def test_what_is_set_is_there_and_survives(tmp_path: Path) -> None:
    """A value is kept in the store, until it is unset."""
    with create_repository(tmp_path) as repo:
        repo.config["pager"] = "less -S"
    with open_repository(tmp_path) as repo:
        assert dict(repo.config) == {"pager": "less -S"}
        del repo.config["pager"]
        assert dict(repo.config) == {}
        with pytest.raises(KeyError):
            del repo.config["pager"]


def test_a_default_holds_until_something_is_set(repo: Repository) -> None:
    """``value`` falls back; the mapping holds only what is set."""
    assert repo.config.value("gc.auto") == "on"
    assert "gc.auto" not in repo.config
    repo.config["gc.auto"] = "off"
    assert repo.config.value("gc.auto") == repo.config["gc.auto"] == "off"


def test_an_unknown_name_is_refused_with_the_known_ones(repo: Repository) -> None:
    """Reading, writing and unsetting: the hint lists what there is."""
    for use in (
        lambda: repo.config.get("user.nam"),
        lambda: repo.config.__setitem__("user.nam", "x"),
        lambda: repo.config.__delitem__("user.nam"),
    ):
        with pytest.raises(Invalid) as caught:
            use()
        assert caught.value.code == "config-key"
        assert all(name in caught.value.hint for name in SETTINGS)


@pytest.mark.parametrize(
    ("name", "value"),
    [("gc.auto", "maybe"), ("user.name", ""), ("user.name", " "), ("pager", "a\nb")],
)
def test_a_value_that_does_not_fit_is_refused(
    repo: Repository, name: str, value: str
) -> None:
    """Another choice, an empty text, control characters: nothing is stored."""
    with pytest.raises(Invalid) as caught:
        repo.config[name] = value
    assert caught.value.code == "config-value"
    assert name not in repo.config


def test_the_limit_of_a_value(repo: Repository) -> None:
    """The longest value is taken, one byte more is not."""
    repo.config["user.name"] = "x" * CONFIG_VALUE_BYTES_MAX
    with pytest.raises(LimitExceeded) as caught:
        repo.config["user.name"] = "x" * (CONFIG_VALUE_BYTES_MAX + 1)
    assert caught.value.code == "config-too-long"


def test_the_author_is_who_was_named_then_who_is_set_then_the_user() -> None:
    """PROLLY_AUTHOR beats ``user.name``, which beats the login name."""
    named = ""
    environment = Environment(user=lambda: "login", named_user=lambda: named)
    repo = Repository(memory_repository().store, None, environment=environment)

    def author() -> str:
        with repo.transaction("main") as tx:
            tx.map("m")[str(len(tx.map("m")))] = 1
        return repo.commit_of("HEAD").author

    assert author() == "login"
    repo.config["user.name"] = "Ann Example"
    assert author() == "Ann Example"
    named = "Bob"
    assert author() == "Bob"
    assert [one.who for one in repo.reflog("main")][:2] == ["Bob", "Ann Example"]
