"""What the merges of all datasets share: the three versions, the rules, names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import Descriptor, TreeParameters
from prolly.errors import Corrupt, Unsupported
from prolly.tables import Schema, Trees
from prolly.tree import NodeReader, build, iter_batches

from .clash import Resolve
from .column_merge import OnConflict, SchemaConflict
from .findings import Findings
from .policies import DEFAULT_POLICY, Policies
from .schema_merge import TableNames
from .terms import Terms


class DatasetVersions(NamedTuple):
    """The three descriptions of one dataset; None where there is none."""

    base: Descriptor | None
    ours: Descriptor | None
    theirs: Descriptor | None


NO_VERSIONS = DatasetVersions(None, None, None)


@dataclass(frozen=True)
class Rules:
    """How one merge settles what both sides changed.

    ``on_conflict``: "ours" leaves conflicts, with ours' value meanwhile; "base" is for
    virtual bases; "keep-both" settles all. ``policy`` holds wherever a dataset has none
    of its own; ``resolve`` is asked of what remains in conflict, ``resolvers`` are the
    application's by name; ``snapshots`` is handed on to both.
    """

    on_conflict: OnConflict = "ours"
    policy: str | None = None
    resolve: Resolve | None = None
    resolvers: Mapping[str, Resolve] = field(default_factory=dict)
    snapshots: Any = None


class Described(NamedTuple):
    """What comes of the versions of a dataset: id, description, schema of a table."""

    identity: bytes
    entry: Descriptor
    schema: Schema | None = None


@dataclass
class MergeWork:
    """What the merge of each dataset of two manifests needs and adds to."""

    reader: NodeReader
    writer: ChunkWriter
    rules: Rules
    findings: Findings
    tables: TableNames = field(default_factory=TableNames)
    # What the sides say of a dataset, by id, and the name that it is to have.
    versions: Callable[[bytes], DatasetVersions] = lambda identity: NO_VERSIONS
    names: dict[bytes, str] = field(default_factory=dict)
    # What lost as a whole, with the id of the dataset that won.
    lost: list[tuple[bytes, Descriptor]] = field(default_factory=list)
    # How much each policy settled, by dataset.
    settled: dict[bytes, Counter[str]] = field(default_factory=dict)

    def trees(self, parameters: TreeParameters) -> Trees:
        """Return where trees are read and written, cut so."""
        return Trees(self.reader, self.writer, parameters)

    def policies(self, entry: Descriptor) -> Policies:
        """Return the policies of a dataset; Unsupported for a newer release's."""
        try:
            otherwise = self.rules.policy or DEFAULT_POLICY
            return Policies(entry.policies, otherwise=otherwise)
        except Corrupt as error:
            raise Unsupported(
                f"dataset {entry.name!r} has a policy that is not known here: "
                f"{error.message}",
                code="dataset-policy",
                hint="Use a newer release of prolly.",
                dataset=entry.name,
            ) from error

    def terms(self, dataset: Described, **told: Any) -> Terms:
        """Return how the records of a dataset are merged; ``told`` as of ``Terms``."""
        return Terms(
            self.policies(dataset.entry),
            self.reader.get_chunk,
            self.writer,
            dataset=self.names[dataset.identity],
            on_conflict=self.rules.on_conflict,
            resolve=self.rules.resolve,
            resolvers=self.rules.resolvers,
            snapshots=self.rules.snapshots,
            settled=self.settled.setdefault(dataset.identity, Counter()),
            **told,
        )

    def conflict(self, identity: bytes, conflict: SchemaConflict) -> None:
        """Take a part of a dataset's description that was not merged."""
        _, *sides = self.versions(identity)
        self.findings.schema(identity, self.names[identity], conflict, sides)


def needs_equal(work: MergeWork, entry: Descriptor) -> bool:
    """Tell whether equal changes of both sides must be merged all the same."""
    policies = work.policies(entry)
    return "counter" in policies.names


def recut(trees: Trees, entry: Descriptor) -> bytes:
    """Return the records of a dataset, cut by the merged parameters."""
    root = entry.roots[0].address
    if entry.parameters == trees.parameters:
        return root
    return build(trees.writer, iter_batches(trees.reader, root), trees.parameters)
