"""What is asked of a merge, and who is asked while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prolly.merge import APP_PREFIX, UNRESOLVED, Clash, Resolve, Rules
from prolly.tree import NodeReader, Versions


def no_snapshots(reader: NodeReader, versions: Versions) -> None:
    """Give resolvers nothing to look further into."""


def no_action() -> None:
    """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class MergeRequest:
    """What to merge, and how. ``name`` is what the merge is called in its message.

    ``before_moving`` is called when all is merged, before refs move.
    """

    branch: str
    theirs: bytes
    name: str
    message: str | None = None
    author: str | None = None
    resolve: Resolve | None = None
    resolvers: Mapping[str, Resolve] = field(default_factory=dict)
    policy: str | None = None
    commit: bool = True
    allow_unrelated: bool = False
    snapshots: Callable[[NodeReader, Versions], Any] = no_snapshots
    before_moving: Callable[[], object] = no_action

    @property
    def text(self) -> str:
        """The message of the merge commit."""
        if self.message is not None:
            return self.message
        into = "" if self.branch == "main" else f" into {self.branch}"
        return f"Merge {self.name}{into}"


class Answers:
    """What resolvers answered in one merge, counted by their names."""

    def __init__(self, request: MergeRequest) -> None:
        self._request = request
        self._counts: Counter[str] = Counter()

    def rules(self, snapshots: Any) -> Rules:
        """Return the rules of the merge, whose resolvers are counted."""
        request = self._request
        resolve = request.resolve
        return Rules(
            policy=request.policy,
            resolve=None if resolve is None else self._counted("resolve", resolve),
            resolvers={
                name: self._counted(APP_PREFIX + name, function)
                for name, function in request.resolvers.items()
            },
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
            told["answers"] = dict(self._counts)
        return {"merge": told} if told else {}
