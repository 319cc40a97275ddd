"""Where and with what a run was made: machine, versions, commit."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .engines import engine_class


def describe_machine(place: Path) -> dict[str, Any]:
    """Return model, cores, memory, kernel, load, and the file system of ``place``."""
    model = re.search(r"model name\s*: (.*)", _read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s+(\d+) kB", _read("/proc/meminfo"))
    return {
        "cpu": model[1] if model else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory[1]) / 2**20, 1) if memory else None,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_1min": round(os.getloadavg()[0], 2),
        "file_system": file_system_of(place),
    }


def file_system_of(place: Path) -> str:
    """Return the type of the file system that holds a place."""
    found, length = "unknown", -1
    for line in _read("/proc/mounts").splitlines():
        _, mount, kind, *_ = line.split()
        inside = place.resolve().is_relative_to(mount)
        if inside and len(mount) > length:
            found, length = kind, len(mount)
    return found


def describe_commit(root: Path) -> dict[str, Any]:
    """Return the commit of a checkout, and whether files differ from it."""
    commit = git(root, "rev-parse", "HEAD")
    return {"commit": commit, "dirty": bool(git(root, "status", "--porcelain"))}


def git(root: Path, *words: str) -> str:
    """Return what a git command prints; empty when it fails."""
    command = ["git", "-C", str(root), *words]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def versions_of(engines: list[str]) -> dict[str, str]:
    """Return the versions of what the engines are made of."""
    names = {one for engine in engines for one in engine_class(engine).distributions}
    found = {}
    for name in sorted(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    if "sqlite3" in engines:
        # Imported elsewhere, so that nothing stands in the way of another SQLite here.
        code = "import sqlite3; print(sqlite3.sqlite_version)"
        done = subprocess.run(
            [sys.executable, "-c", code], text=True, capture_output=True, check=True
        )
        found["sqlite3"] = done.stdout.strip()
    return found


def now_text() -> str:
    """Return the date and time in UTC, to the minute."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
