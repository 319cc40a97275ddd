"""Work shared out: results in order, few at once, and errors of our own."""

from __future__ import annotations

import os
from concurrent.futures import Executor

import pytest

from prolly.errors import Invalid, StorageFailed
from prolly.ops import worker_pool
from prolly.ops.worker_pool import JOBS_MAX, SHARED_BYTES_MIN, check_jobs, shared_out
from prolly.testing.direct_executor import DirectExecutor


def test_results_come_in_the_order_of_the_tasks() -> None:
    """Each task gives one result, and only a few are taken ahead."""
    with shared_out(DirectExecutor(), 0) as workers:
        assert workers is not None
        assert list(workers.map(abs, range(-99, 0))) == list(range(99, 0, -1))
        following = iter(range(100))
        results = workers.map(abs, following)
        assert next(results) == 0
        assert next(following) == worker_pool.TASKS_AHEAD_UNKNOWN


def test_one_process_or_little_work_is_not_shared() -> None:
    """No process is started for one job, or for what takes less than its start."""
    for jobs, size in ((1, SHARED_BYTES_MIN), (2, SHARED_BYTES_MIN - 1)):
        with shared_out(jobs, size) as workers:
            assert workers is None


def test_the_number_of_jobs_is_limited() -> None:
    """From one process up to the limit; one more or less is refused."""
    check_jobs(1)
    check_jobs(JOBS_MAX)
    for jobs in (0, -1, JOBS_MAX + 1):
        with pytest.raises(Invalid) as caught:
            check_jobs(jobs)
        assert caught.value.code == "jobs"


def test_a_process_that_is_killed_is_an_error() -> None:
    """When a process ends within its task, that is StorageFailed, not silence."""
    with (
        pytest.raises(StorageFailed) as caught,
        shared_out(2, SHARED_BYTES_MIN) as workers,
    ):
        assert workers is not None
        list(workers.map(os._exit, [1]))
    assert caught.value.code == "worker-lost"


def test_an_executor_of_the_callers_stays_open() -> None:
    """It is used, and not shut down."""
    executor: Executor = DirectExecutor()
    for _ in range(2):
        with shared_out(executor, 0) as workers:
            assert workers is not None
            assert list(workers.map(len, ["abc"])) == [3]
