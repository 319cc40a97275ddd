"""What merged records must keep, and whose change gives way where they do not.

Each side keeps its own constraints; both changes together may not. Then the change of
*theirs* to a record at fault is withheld: the record stands as ours has it, and is a
conflict. Where ours' own records break a constraint that theirs brought, the constraint
is left out, and is a conflict. This is repeated until nothing is at fault; it ends,
because each round takes something of theirs away, and ours alone is valid.

    check                     rows that make it false
    column without null       null in it
    index                     rows with equal cells where it is unique; cells that have
                              no place in a key
    files                     a file where another's directory is
    reference                 a row that refers to none: withheld, if theirs wrote it;
                              else the row that theirs deleted stays

Only what differs from a side that keeps a constraint is looked at, so the cost follows
the change. Which rows are withheld depends on the three versions alone.
"""

from __future__ import annotations

from prolly.errors import Invalid

from .candidate import INDEX_FAULTS, Candidate
from .constraint_faults import (
    EQUAL_CELLS,
    faults_of_indexes,
    faults_of_records,
    is_kept_by_ours,
)
from .merge_work import MergeWork
from .unique_links import LINKED_RECORDS_MAX, UniqueLinks
from .withholding import Withholding


def settle_rules(work: MergeWork, candidate: Candidate) -> None:
    """Make a dataset keep all constraints but references, and write its indexes."""
    if not candidate.is_mixed or candidate.records is None:
        return
    while True:
        round_ = Withholding(work, candidate)
        for fault in faults_of_records(work, candidate):
            round_.blame(fault)
        if round_.end():
            continue
        try:
            candidate.carry()
            return
        except Invalid as error:
            if error.code not in INDEX_FAULTS:
                raise
            reason = error.message
        round_ = Withholding(work, candidate)
        for fault in faults_of_indexes(candidate):
            round_.blame(fault)
        if not round_.has_dropped and is_kept_by_ours(work, candidate):
            _follow_clashes(round_, candidate)
        is_settled = round_.end()
        assert is_settled, reason


def _follow_clashes(round_: Withholding, candidate: Candidate) -> None:
    """Withhold what clashes with records that stand as ours again, step by step."""
    with UniqueLinks(candidate) as links:
        followed = 0
        while latest := round_.take_latest():
            followed += len(latest)
            if followed > LINKED_RECORDS_MAX:
                return
            faults = []
            for name, key, changed in links.clashes(latest):
                guilty = [one for one in changed if not round_.holds_back(one)]
                if guilty:
                    faults.append((f"index {name}", sorted({*guilty, key}), guilty))
            for what, keys, guilty in faults:
                for one in guilty:
                    other = next(known for known in keys if known != one)
                    facts = {"other_key": other}
                    round_.withhold(one, what, EQUAL_CELLS, facts)
