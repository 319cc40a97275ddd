"""Give up a part of what is uncommitted: datasets, or single records of one."""

from __future__ import annotations

from prolly.errors import Invalid
from prolly.tree import NodeReader

from .local_datasets import require_committed
from .selection import Selection, select
from .waiting_merge import still_waits
from .working_area import WorkingArea


def restore(area: WorkingArea, wanted: Selection, why: str = "reset") -> None:
    """Make the chosen datasets or records as the commit of a working state has them.

    A dataset that the commit lacks is dropped, one that was dropped comes back. Raises
    NotFound ``no-such-dataset``, KeyNotFound for a record that is on neither side,
    Invalid ``local-dataset`` for what no commit holds,
    Invalid ``partial-commit`` where the choice cannot be taken alone, ``merging`` while
    a merge waits; Stale as an edit.
    """
    state = area.state
    if state.is_merging:
        raise still_waits(state, "and is given up as a whole")
    # What was committed is the change to be made, and the choice is that of a commit.
    base = area.base_root
    require_committed(area.storage, area.state.manifest, wanted)
    try:
        with area.edit(why, with_local=False) as workspace:
            select(workspace, NodeReader(workspace.writer.get), base, wanted)
    except Invalid as error:
        if error.code != "partial-commit":
            raise
        raise Invalid(
            "what was chosen cannot be restored alone: its dataset was dropped, "
            "altered or renamed",
            code="partial-commit",
            hint="Restore the dataset whole, with the one that has its name.",
            **error.facts,
        ) from error
