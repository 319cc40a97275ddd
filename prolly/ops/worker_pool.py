"""Work shared out to other processes, through an ``Executor`` of the standard library.

What travels is bytes and plain values, and the functions are those of modules, so any
executor will do. The default is a pool of new processes: one that is forked would have
the index of a store open twice. Whoever shares work out takes the results in the order
of the tasks, a few of them at a time, so that memory is bounded.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from prolly.errors import Invalid, StorageFailed

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

Task = TypeVar("Task")
Result = TypeVar("Result")

# More processes than this are a slip of the keyboard: each takes 33 MB and more.
JOBS_MAX = 256

# A second of work: below it, starting processes takes as long as they save.
SHARED_BYTES_MIN = 4 * 1024 * 1024

# Tasks under way at once, a process: one that it works on, one that waits for it, and
# one whose result waits here. Each takes some MB.
TASKS_AHEAD = 3

# For an executor of the caller's, which does not tell its size.
TASKS_AHEAD_UNKNOWN = 16


def check_jobs(jobs: int | Executor) -> None:
    """Raise Invalid ``jobs`` for a number of processes that cannot be."""
    if isinstance(jobs, int) and not 1 <= jobs <= JOBS_MAX:
        raise Invalid(
            f"{jobs} processes cannot work",
            code="jobs",
            hint=f"Give a number from 1 to {JOBS_MAX}; 1 is this process alone.",
            limit=JOBS_MAX,
        )


class Workers:
    """Processes that take tasks. ``shared_out`` makes one; not thread-safe."""

    def __init__(self, executor: Executor, ahead: int) -> None:
        self._executor = executor
        self._ahead = ahead

    def map(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[Result]:
        """Yield the result of each task, in order; few are under way at once.

        What the function raises passes, and so does what ``tasks`` raises. Raises
        StorageFailed ``worker-lost`` when a process ended before its task did.
        """
        from concurrent.futures import BrokenExecutor

        following = iter(tasks)
        waiting: deque[Future[Result]] = deque()
        try:
            while True:
                for task in islice(following, self._ahead - len(waiting)):
                    waiting.append(self._executor.submit(function, task))
                if not waiting:
                    return
                yield waiting.popleft().result()
        except BrokenExecutor as error:
            raise _lost() from error
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def shared_out(jobs: int | Executor, size: int) -> Iterator[Workers | None]:
    """Give the workers, or ``None`` where this process works alone.

    It does so where ``jobs`` is 1, or the ``size`` of the work, in bytes, below
    ``SHARED_BYTES_MIN``. Else a number makes that many processes, which end with the
    block; an executor is the caller's, and stays open. Raises Invalid ``jobs``.
    """
    check_jobs(jobs)
    if not isinstance(jobs, int):
        yield Workers(jobs, TASKS_AHEAD_UNKNOWN)
        return
    if jobs == 1 or size < SHARED_BYTES_MIN:
        yield None
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin_worker)
    try:
        yield Workers(pool, TASKS_AHEAD * jobs)
    finally:
        # A task takes a fraction of a second: none is worth a signal.
        pool.shutdown(wait=True, cancel_futures=True)


def _begin_worker() -> None:
    """Make this process one that ends with its parent, and not before."""
    # Ctrl-C goes to all processes of a terminal; the parent says what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _lost() -> StorageFailed:
    return StorageFailed(
        "a worker process ended before its work did; nothing was stored",
        code="worker-lost",
        hint="The system may have run out of memory: try again with fewer jobs. A "
        'program that shares work out runs it under `if __name__ == "__main__":`.',
    )
