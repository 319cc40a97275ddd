"""What is asked of a merge, and who is asked while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prolly.codec import cbor
from prolly.errors import Invalid
from prolly.merge import (
    APP_PREFIX,
    UNRESOLVED,
    Clash,
    Resolve,
    Rules,
    check_policy_name,
)
from prolly.tree import NodeReader, Versions

# A merge commit names resolvers and how conflicts were settled, in
# ``COMMIT_METADATA_BYTES_MAX``: a quarter of that, which is sixty of the longest names.
ANSWERS_BYTES_MAX = 16 * 1024
# Who answered beside those that are named; no resolver is called so.
OTHERS = "others"
# What stands in a virtual base where both sides changed one thing.
VIRTUAL = Rules(on_conflict="base")


def no_snapshots(reader: NodeReader, versions: Versions) -> None:
    """Give resolvers nothing to look further into."""


def no_action() -> None:
    """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class Attended:
    """How something is merged into a branch while somebody looks on.

    ``before_moving`` is called when all is merged, before refs move.
    """

    branch: str
    message: str | None = None
    author: str | None = None
    resolve: Resolve | None = None
    resolvers: Mapping[str, Resolve] = field(default_factory=dict)
    policy: str | None = None
    commit: bool = True
    snapshots: Callable[[NodeReader, Versions], Any] = no_snapshots
    before_moving: Callable[[], object] = no_action


@dataclass(frozen=True, kw_only=True)
class MergeRequest(Attended):
    """What to merge, and how. ``name`` is what the merge is called in its message."""

    theirs: bytes
    name: str
    allow_unrelated: bool = False
    fast_forward: bool = True

    @property
    def text(self) -> str:
        """The message of the merge commit."""
        if self.message is not None:
            return self.message
        into = "" if self.branch == "main" else f" into {self.branch}"
        return f"Merge {self.name}{into}"


def require_policy(asked: Attended) -> None:
    """Refuse a policy for all that is none, or whose resolver nobody brought.

    Invalid ``unknown-policy``.
    """
    policy = asked.policy
    if policy is None:
        return
    check_policy_name(policy)
    name = policy.removeprefix(APP_PREFIX)
    if name == policy or name in asked.resolvers:
        return
    known = ", ".join(sorted(asked.resolvers)) or "it has none"
    raise Invalid(
        f"there is no resolver {name!r}",
        code="unknown-policy",
        hint=f"The App of the program brings them (--app, prolly.App): {known}.",
        policy=policy,
    )


class _Resolvers(dict[str, Resolve]):
    """Resolvers by name, which remember the names that were asked for in vain."""

    def __init__(self, known: Mapping[str, Resolve], missing: set[str]) -> None:
        super().__init__(known)
        self._asked_in_vain = missing

    def get(self, name: str, default: Any = None, /) -> Any:
        if name not in self:
            self._asked_in_vain.add(name)
        return super().get(name, default)


class Answers:
    """What resolvers answered in one merge, counted by their names."""

    def __init__(self, request: Attended) -> None:
        self._request = request
        self._counts: Counter[str] = Counter()
        self._missing: set[str] = set()

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of resolvers that policies ask for and the App does not have."""
        return tuple(sorted(self._missing))

    def rules(self, snapshots: Any) -> Rules:
        """Return the rules of the merge, whose resolvers are counted."""
        request = self._request
        resolve = request.resolve
        return Rules(
            policy=request.policy,
            resolve=None if resolve is None else self._counted("resolve", resolve),
            resolvers=_Resolvers(
                {
                    name: self._counted(APP_PREFIX + name, function)
                    for name, function in request.resolvers.items()
                },
                self._missing,
            ),
            snapshots=snapshots,
        )

    def _counted(self, name: str, resolve: Resolve) -> Resolve:
        def counted(clash: Clash) -> Any:
            answer = resolve(clash)
            if answer is not UNRESOLVED:
                self._counts[name] += 1
            return answer

        return counted

    def metadata(self) -> dict[str, Any]:
        """Return what the merge commit is to say of them; see ``waiting_merge``."""
        told: dict[str, Any] = {}
        if self._request.policy is not None:
            told["policy"] = self._request.policy
        if self._counts:
            told["answers"] = _bounded(self._counts)
        return {"merge": told} if told else {}


def _bounded(counts: Counter[str]) -> dict[str, int]:
    """Return the counts of the resolvers that answered most, and of all others."""
    named: dict[str, int] = {}
    room = ANSWERS_BYTES_MAX
    for name, number in counts.most_common():
        room -= len(cbor.encode([name, number]))
        if room < 0:
            named[OTHERS] = counts.total() - sum(named.values())
            break
        named[name] = number
    return named
