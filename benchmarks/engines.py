"""The engines by name. A module is imported when its engine is used, not before."""

from __future__ import annotations

import importlib
import importlib.util

from .engine import Engine

OURS = "prolly"
_PLACES = {
    OURS: ("prolly_engine", "ProllyEngine", "prolly"),
    "doltlite": ("sql_engine", "DoltliteEngine", "doltlite"),
    "lmdb": ("lmdb_engine", "LmdbEngine", "lmdb"),
    "prollytree": ("prollytree_engine", "ProllytreeEngine", "prollytree"),
    "sqlite3": ("sql_engine", "SqliteEngine", "sqlite3"),
}
RIVALS = tuple(name for name in _PLACES if name != OURS)


def engine_class(name: str) -> type[Engine]:
    """Return the class of an engine; KeyError for an unknown name.

    ModuleNotFoundError when its package is not installed.
    """
    module, kind, package = _PLACES[name]
    found = importlib.util.find_spec(package)
    if found is None:
        raise ModuleNotFoundError(f"{package} is not installed", name=package)
    loaded: type[Engine] = getattr(
        importlib.import_module(f".{module}", __package__), kind
    )
    return loaded
