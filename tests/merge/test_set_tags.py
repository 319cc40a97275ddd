"""Sets in which adding wins: tags, and histories beside a plain observed-remove set."""

from __future__ import annotations

from itertools import count
from typing import Any, NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from prolly.codec import key as key_codec
from prolly.codec.record_stamps import ELEMENT_BYTES, NO_STAMP, TagSet, stamp_at
from prolly.datasets import Manifest
from prolly.maps import ABSENT
from prolly.merge import (
    NO_TAGS,
    UNRESOLVED,
    Tags,
    merge_value,
    stamps_of,
    stamps_root,
)
from prolly.merge.containers import merge_sets
from prolly.merge.set_tags import (
    elements_of,
    merge_tagged_sets,
    merged_tags,
    sorted_elements,
    tags_of,
    written_tags,
)
from prolly.repo import Repository, Transaction, Workspace
from prolly.tables import Schema
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.stamped_world import StampedWorld
from prolly.tree import NodeReader

BRANCHES = ("main", "one", "two", "three")
# A record of a map, and a cell of a table.
PLACES = (("s", "x"), ("t", 1))
SCHEMA = Schema.create([("id", "int"), ("tags", "json"), ("note", "text")], "id")


POLICY = "set:add-wins"
NUMBERS = count()
# Stamps of three writes, and the tags that they gave.
FIRST, SECOND, THIRD = [stamp_at(ms, b"replica1") for ms in (1, 2, 3)]


def named(element: str) -> bytes:
    """Return the name of an element in tags."""
    [name] = elements_of([element])
    return name


def lists() -> st.SearchStrategy[list[int]]:
    """Sorted lists without repeats."""
    return st.sets(st.integers(0, 5)).map(sorted)


@st.composite
def tagged_lists(draw: st.DrawFn) -> tuple[list[int], TagSet | None]:
    """Lists with tags for some elements, also of others."""
    value = draw(lists())
    stamps = st.sampled_from([NO_STAMP, FIRST, SECOND, THIRD])
    names = st.sampled_from([*elements_of([0, 1, 2, 3])])
    tags = st.frozensets(st.builds(bytes.__add__, names, stamps), max_size=6)
    return value, draw(st.none() | tags)


@given(lists(), lists(), lists())
def test_without_tags_it_is_a_plain_set(base: Any, ours: Any, theirs: Any) -> None:
    """Whatever each side put in and took out."""
    merged = merge_tagged_sets((base, ours, theirs), NO_TAGS)
    assert sorted_elements(merged) == merge_sets(base, ours, theirs)
    wanted = merge_value("set", base, ours, theirs)
    assert merge_value(POLICY, base, ours, theirs) == wanted


@given(tagged_lists(), tagged_lists(), tagged_lists())
def test_the_sides_do_not_matter(base: Any, ours: Any, theirs: Any) -> None:
    """Neither for elements nor for tags, even where these are of no element."""
    (old, stood), (one, mine), (other, others) = base, ours, theirs
    tags, swapped = Tags(stood, mine, others), Tags(stood, others, mine)
    assert merged_tags(tags) == merged_tags(swapped)
    merged = merge_value(POLICY, old, one, other, tags=tags)
    assert merge_value(POLICY, old, other, one, tags=swapped) == merged
    assert set(merged) <= {*one, *other}
    assert {*one} & {*other} - {*old} <= set(merged)


@given(lists(), lists(), lists())
def test_a_write_leaves_a_tag_for_each_element(
    first: Any, then: Any, last: Any
) -> None:
    """One alone: the stamp of the write that put it in, nobody's before all."""
    tags = written_tags(None, first, then, FIRST)
    tags = written_tags(tags, then, last, SECOND)
    expected = {}
    for name, element in elements_of(last).items():
        expected[name] = SECOND
        if element in then:
            expected[name] = NO_STAMP if element in first else FIRST
    assert tags == {name + stamp for name, stamp in expected.items()}
    assert tags_of(expected, tags) == tags


def test_an_element_put_in_again_stays() -> None:
    """It has a tag that the other side did not see; one that both saw is gone."""
    a, b = named("a"), named("b")
    base = frozenset({a + FIRST, b + FIRST})
    again, without = frozenset({a + SECOND, b + FIRST}), frozenset({b + FIRST})
    tags = Tags(base, again, without)
    versions: Any = (["a", "b"], ["a", "b"], ["b"])
    assert merge_value(POLICY, *versions, tags=tags) == ["a", "b"]
    assert merged_tags(tags) == again
    assert merge_value(POLICY, *versions) == ["b"]
    # Both have it, each by the tag that the other took out.
    both = Tags(base | {a + SECOND}, frozenset({a + FIRST}), frozenset({a + SECOND}))
    assert merge_value(POLICY, ["a", "b"], ["a"], ["a"], tags=both) == []
    assert merged_tags(both) == frozenset()


def test_what_is_no_list_has_no_tags() -> None:
    """Against a deletion there is a conflict; null is empty where the base is null."""
    tags = Tags(None, frozenset({named("a") + FIRST}), frozenset())
    assert merge_value(POLICY, ["b"], ["a"], ABSENT, tags=tags) is UNRESOLVED
    assert merge_value(POLICY, ["b"], ["a"], "text", tags=tags) is UNRESOLVED
    assert merge_value(POLICY, None, ["a"], None, tags=tags) == ["a"]
    assert merged_tags(Tags(tags.ours, None, frozenset())) is None


class OrSet(NamedTuple):
    """The plain thing: all that was ever put in, by a number, and what was taken out.

    Both only grow, and a merge is their union.
    """

    added: frozenset[tuple[int, str, str]] = frozenset()
    removed: frozenset[int] = frozenset()

    def ids(self, place: str, element: str) -> frozenset[int]:
        """Return the numbers of an element that is in."""
        found = [
            number
            for number, where, what in self.added
            if (where, what) == (place, element) and number not in self.removed
        ]
        return frozenset(found)

    def live(self, place: str) -> list[str]:
        """Return what is in, sorted."""
        found = {
            what
            for number, where, what in self.added
            if where == place and number not in self.removed
        }
        return sorted(found)

    def toggled(self, place: str, element: str) -> OrSet:
        """Return it with an element put in, or taken out if it is in."""
        ids = self.ids(place, element)
        if ids:
            return self._replace(removed=self.removed | ids)
        new = next(NUMBERS), place, element
        return self._replace(added=self.added | {new})

    def merged(self, other: OrSet) -> OrSet:
        """Return the union."""
        return OrSet(self.added | other.added, self.removed | other.removed)


def read(repo: Repository, branch: str, place: tuple[str, Any]) -> list[str]:
    """Return a set as a branch has it."""
    name, key = place
    at = repo.at(branch)
    found: list[str] = at.map(name)[key] if name == "s" else at.table(name)[key]["tags"]
    return found


def write(
    tx: Transaction | Workspace, place: tuple[str, Any], value: list[str]
) -> None:
    """Write a set."""
    name, key = place
    if name == "s":
        tx.map(name)[key] = value
    else:
        table = tx.table(name)
        note = table[key]["note"] if key in table else ""
        table.upsert({"id": key, "tags": value, "note": note})


def fill(tx: Transaction | Workspace) -> None:
    """Make both sets."""
    tx.table("t", schema=SCHEMA)
    for place in PLACES:
        write(tx, place, ["a", "b"])


def set_policies(tx: Transaction | Workspace) -> None:
    """Let adding win in both."""
    tx.set_policy("s", POLICY)
    tx.set_policy("t", POLICY, column="tags")


def drop_first(tx: Transaction | Workspace) -> None:
    """Take an element out of both sets."""
    for place in PLACES:
        write(tx, place, ["b"])


def beginning(*, written: bool) -> list[Any]:
    """Return edits that begin with sets that nobody wrote under the policy yet, or that
    somebody did."""
    return [fill, set_policies, *([drop_first, fill] if written else [])]


def tags(repo: Repository, branch: str, place: tuple[str, Any]) -> TagSet | None:
    """Return the tags of a set on a branch; None where nobody wrote it."""
    name, key = place
    reader = NodeReader(repo.store.get)
    entry = Manifest(reader, repo.at(branch).root).require(name)
    found = stamps_of(reader, stamps_root(entry), key_codec.encode((key,))).tags
    column = None if name == "s" else SCHEMA.column("tags").id
    return found.get(column)


# Toggle an element on a branch, or merge another branch into it.
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(BRANCHES),
            st.sampled_from(PLACES),
            st.sampled_from("abc"),
        ),
        st.tuples(st.sampled_from(BRANCHES), st.sampled_from(BRANCHES)),
    ),
    min_size=4,
    max_size=14,
)


X, C = PLACES[0], "c"
# Both sides have an element, each by the tag that the other saw and took out.
CROSSED = [
    *[("one", X, C), ("two", X, C), ("main", "one"), ("main", "two")],
    *[("three", "one"), ("three", X, C), ("one", "main"), ("main", "three")],
    *[("two", X, C), ("one", "two")],
]


@settings(max_examples=60, deadline=None)
@given(STEPS, st.booleans())
@example(CROSSED, False)
def test_any_history_is_that_of_an_observed_remove_set(
    steps: list[Any], written: bool
) -> None:
    """Elements, and a tag for each time that one was put in: branches merged into each
    other in any order, criss-cross and again, end as the plain model does."""
    repo = memory_repository()
    for edit in beginning(written=written):
        write_on(repo, "main", edit)
    model = OrSet()
    for place in PLACES:
        for element in "ab":
            model = model.toggled(str(place), element)
    models = dict.fromkeys(BRANCHES, model)
    for name in BRANCHES[1:]:
        repo.create_branch(name, "main")
    for branch, *step in steps:
        if len(step) == 2:
            place, element = step
            models[branch] = models[branch].toggled(str(place), element)
            with repo.transaction(branch, message="toggle") as tx:
                write(tx, place, models[branch].live(str(place)))
        elif step[0] != branch:
            repo.merge(step[0], into=branch)
            models[branch] = models[branch].merged(models[step[0]])
        check(repo, branch, models[branch])
    for other in BRANCHES[1:]:
        repo.merge(other, into="main")
        models["main"] = models["main"].merged(models[other])
    check(repo, "main", models["main"])


def check(repo: Repository, branch: str, model: OrSet) -> None:
    """Compare a branch with the model: elements, and how many tags each has."""
    for place in PLACES:
        live = model.live(str(place))
        assert read(repo, branch, place) == live, (branch, place)
        found = tags(repo, branch, place)
        if found is None:
            continue
        named = elements_of(live)
        held: dict[str, int] = dict.fromkeys(live, 0)
        for tag in found:
            held[named[tag[:ELEMENT_BYTES]]] += 1
        assert held == {one: len(model.ids(str(place), one)) for one in live}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(PLACES), st.sampled_from("abcd")), max_size=4
        ),
        min_size=3,
        max_size=3,
    ),
    st.booleans(),
)
def test_any_order_and_grouping_gives_the_same(histories: Any, written: bool) -> None:
    """Records and tags alike: the roots of the merged manifests are equal."""
    world = StampedWorld()
    base = world.empty
    for now_ms, edit in enumerate(beginning(written=written)):
        base = world.write(base, edit, now_ms=now_ms)
    sides = [
        toggled(world, base, steps, number)
        for number, steps in enumerate(histories, start=1)
    ]
    assert len(world.merged_anyhow(base, sides)) == 1


def toggled(world: StampedWorld, root: bytes, steps: Any, replica: int) -> bytes:
    """Return the manifest after toggles, each a commit's worth."""
    for now_ms, (place, element) in enumerate(steps, start=10):

        def toggle(
            space: Workspace, place: Any = place, element: str = element
        ) -> None:
            name, key = place
            mapping = space.map(name) if name == "s" else space.table(name)
            value = mapping[key] if name == "s" else mapping[key]["tags"]
            write(space, place, sorted({*value} ^ {element}))

        root = world.write(root, toggle, now_ms=now_ms, replica=replica)
    return root
