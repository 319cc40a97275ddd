"""Policies of a dataset: scopes, which one holds, and which may be set."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import key as key_codec
from prolly.errors import Corrupt, Error, Invalid
from prolly.merge import (
    POLICIES,
    Policies,
    PolicyRule,
    check_policy,
    check_policy_name,
    policy_rules,
)
from prolly.merge.policies import RESOLVER_NAME_BYTES_MAX
from prolly.tables import Schema
from prolly.testing import strategies

SCHEMA = Schema.create(
    [
        ("id", "text"),
        ("day", "date"),
        ("hits", "int"),
        ("price", "decimal"),
        ("note", "text"),
        ("tags", "json"),
    ],
    ["id", "day"],
)
HITS = SCHEMA.column("hits").id
NOTE = SCHEMA.column("note").id


def test_without_policies_all_is_conflict() -> None:
    """The default of the default, and what may stand in its place for one merge."""
    assert Policies({}).of(b"\x15\1") == "conflict"
    assert Policies({}).are_plain
    assert Policies({"/": "conflict"}, otherwise="ours").of(b"\x15\1", 7) == "ours"
    assert not Policies({}, otherwise="ours").are_plain


def test_the_closest_scope_holds() -> None:
    """Column and prefix before column, then the longest prefix, then the default."""
    stats, hits = (key_codec.prefix_range(one)[0] for one in ("stats/", "stats/hits/"))
    policies = Policies(
        {
            "/": "ours",
            f"/{stats.hex()}": "max",
            f"/{hits.hex()}": "counter",
            f"{HITS:08x}/": "min",
            f"{HITS:08x}/{stats.hex()}": "theirs",
        }
    )
    key = key_codec.encode_key
    found = [policies.of(key(one)) for one in ("a", "stats/a", "stats/hits/a", 5)]
    assert found == ["ours", "max", "counter", "ours"]
    assert policies.of(key("a"), HITS) == "min"
    assert policies.of(key("stats/hits/a"), HITS) == "theirs"
    assert policies.of(key("stats/hits/a"), NOTE) == "counter"
    assert policies.of_column(key("a"), NOTE) is None
    assert policies.may_be("counter", NOTE) and not policies.may_be("set")
    assert policies.names == {"ours", "max", "counter", "min", "theirs"}


@given(strategies.keys(), st.data())
def test_a_prefix_holds_just_for_its_keys(key: Any, data: st.DataObject) -> None:
    """A scope holds for a key if and only if the key lies in the prefix's range."""
    parts = key if isinstance(key, tuple) else (key,)
    prefixes: list[Any] = [parts[:count] for count in range(len(parts) + 1)]
    if type(parts[0]) in (str, bytes):
        prefixes += [parts[0][:count] for count in range(len(parts[0]) + 1)]
        prefixes += [(parts[0][:count],) for count in range(len(parts[0]))]
    prefix = data.draw(st.sampled_from(prefixes))
    try:
        encoded = key_codec.encode(parts)
        start, stop = key_codec.prefix_range(prefix)
        scope = check_policy("max", "map", prefix=prefix)
    except Error:
        return
    holds = start <= encoded and (stop is None or encoded < stop)
    found = Policies({scope: "max"}).of(encoded)
    assert found == ("max" if holds else "conflict")
    (rule,) = policy_rules({scope: "max"})
    assert rule.policy == "max" and rule.column is None
    if prefix != ():
        assert key_codec.prefix_range(rule.prefix) == (start, stop)


def test_scopes_are_spelt_as_specified() -> None:
    """Column id and prefix in hexadecimal digits."""
    assert check_policy("max", "map") == "/"
    assert check_policy("max", "map", prefix="ab") == "/026162"
    assert check_policy("max", "map", prefix=("ab",)) == "/02616200"
    assert check_policy("counter", "table", SCHEMA, column="hits") == f"{HITS:08x}/"
    scope = check_policy("counter", "table", SCHEMA, column="hits", prefix="x")
    assert scope == f"{HITS:08x}/0278"


@pytest.mark.parametrize("policy", [*POLICIES, "app:sum", "app:a b/ü"])
def test_names_of_policies(policy: str) -> None:
    """The built-in ones, and resolvers of the application."""
    check_policy_name(policy)
    assert Policies({"/": policy}).of(b"") == policy


def test_the_longest_name_of_a_resolver() -> None:
    """At the limit it is a name, past it not."""
    check_policy_name("app:" + "x" * RESOLVER_NAME_BYTES_MAX)
    with pytest.raises(Invalid) as caught:
        check_policy_name("app:" + "x" * (RESOLVER_NAME_BYTES_MAX + 1))
    assert caught.value.code == "unknown-policy"


@pytest.mark.parametrize("policy", ["", "app:", "app:a\nb", "newest", "Ours", None, 1])
def test_an_unknown_policy_is_refused(policy: Any) -> None:
    """With the list of those that there are."""
    with pytest.raises(Invalid) as caught:
        check_policy(policy, "map")
    assert caught.value.code == "unknown-policy"
    assert "keep-both" in caught.value.hint


@pytest.mark.parametrize(
    ("policy", "kind", "options", "code"),
    [
        ("counter", "table", {"column": "note"}, "policy-type"),
        ("counter", "table", {}, "policy-type"),
        ("set", "table", {"column": "hits"}, "policy-type"),
        ("text", "table", {"column": "price"}, "policy-type"),
        ("max", "files", {}, "policy-type"),
        ("text", "blob", {}, "policy-type"),
        ("ours", "table", {"column": "id"}, "policy-scope"),
        ("ours", "table", {"column": "nowhere"}, "unknown-column"),
        ("ours", "map", {"column": "hits"}, "policy-scope"),
        ("ours", "blob", {"prefix": "a"}, "policy-scope"),
        ("ours", "files", {"prefix": b"a"}, "policy-scope"),
        ("ours", "map", {"prefix": 5}, "key-prefix"),
        ("ours", "table", {"prefix": 5}, "schema-violation"),
    ],
)
def test_what_does_not_fit_is_refused(
    policy: str, kind: str, options: dict[str, Any], code: str
) -> None:
    """A policy that could never settle anything there is an error at once."""
    schema = SCHEMA if kind == "table" else None
    with pytest.raises(Invalid) as caught:
        check_policy(policy, kind, schema, **options)
    assert caught.value.code == code and caught.value.hint


@pytest.mark.parametrize(
    ("policy", "column"),
    [
        ("counter", "hits"),
        ("counter", "price"),
        ("set", "tags"),
        ("map", "tags"),
        ("text", "note"),
        ("max", "note"),
        ("keep-both", "tags"),
        ("app:x", "hits"),
    ],
)
def test_what_fits_is_taken(policy: str, column: str) -> None:
    """Each policy has columns that it can merge."""
    scope = check_policy(policy, "table", SCHEMA, column=column)
    assert list(policy_rules({scope: policy}, SCHEMA)) == [
        PolicyRule(column, None, policy)
    ]


def test_policies_are_listed_as_they_were_given() -> None:
    """Records first, then columns; a dropped column by the digits of its id."""
    stored = {
        check_policy("counter", "table", SCHEMA, column="hits"): "counter",
        check_policy("keep-both", "table", SCHEMA): "keep-both",
        check_policy("ours", "table", SCHEMA, prefix="a"): "ours",
        "00000001/": "max",
    }
    assert list(policy_rules(stored, SCHEMA)) == [
        PolicyRule(None, None, "keep-both"),
        PolicyRule(None, "a", "ours"),
        PolicyRule("00000001", None, "max"),
        PolicyRule("hits", None, "counter"),
    ]


@pytest.mark.parametrize(
    "stored",
    [
        {"": "ours"},
        {"x/": "ours"},
        {"0000001/": "ours"},
        {"/0": "ours"},
        {"/02FF": "ours"},
        {"/0500": "ours", "/05": "ours"},
        {"/ff": "ours"},
        {"/": "newest"},
        {"/": 5},
        {"/": ["ours"]},
        {"/" + "02" * 1025: "ours"},
    ],
)
def test_what_no_dataset_may_have_is_corrupt(stored: dict[str, Any]) -> None:
    """Policies from outside are never half understood."""
    with pytest.raises(Corrupt) as caught:
        Policies(stored)
    assert caught.value.code == "policies"
    with pytest.raises(Corrupt):
        list(policy_rules(stored))
