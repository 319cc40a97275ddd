"""An executor without processes: a task is done when it is submitted."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class DirectExecutor(Executor):
    """Does each task at once, as another process would: what travels is pickled.

    ``tasks`` counts them.
    """

    def __init__(self) -> None:
        self.tasks = 0

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        self.tasks += 1
        future: Future[Any] = Future()
        function, given, named = pickle.loads(pickle.dumps((fn, args, kwargs)))
        try:
            result = function(*given, **named)
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result(pickle.loads(pickle.dumps(result)))
        return future
