"""The command: ``python -m benchmarks run | compare | profile | report | list``."""

from __future__ import annotations

import argparse
import pstats
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from .compare import UnknownRevision, comparison_text, worktrees
from .engines import OURS, RIVALS, engine_class
from .machine import describe_commit, describe_machine, now_text, versions_of
from .process import SUITE_ROOT
from .profiles import Profiles, profile_of
from .records import Form
from .report import PAGE, README, stored_files, write_report
from .results import Results
from .run import DEFAULT_LIMIT_S, DEFAULT_REPEATS, DEFAULT_SEED, Plan, Run, Subject
from .workloads import WORKLOADS, Workload, named

DEFAULT_OUT = Path("build/benchmarks/results.json")
# The functions of a profile that are shown.
PROFILED = 25
SIZES = {"k": 1000, "M": 1_000_000}


def parse_counts(text: str) -> list[int]:
    """Return the numbers of ``100k,1M``; argparse's error for anything else."""
    counts = []
    for word in text.split(","):
        size = SIZES.get(word[-1:], 1)
        digits = word[:-1] if size > 1 else word
        if not digits.isdecimal() or int(digits) < 1:
            raise argparse.ArgumentTypeError(f"not a number of records: {word!r}")
        counts.append(int(digits) * size)
    return counts


def parse_works(text: str) -> list[Workload]:
    """Return the workloads of these names, separated by commas."""
    try:
        return named(text.split(","))
    except KeyError as error:
        raise argparse.ArgumentTypeError(f"no workload {error}; see `list`") from None


def parse_forms(text: str) -> list[Form]:
    """Return the forms of ``map,table``."""
    forms: list[Form] = [one for one in get_args(Form) if one in text.split(",")]
    if len(forms) != len(text.split(",")):
        raise argparse.ArgumentTypeError("the forms are map and table")
    return forms


def parse_rivals(text: str) -> list[str]:
    """Return the rivals of ``all``, ``none``, or of names separated by commas."""
    if text in ("all", "none"):
        return list(RIVALS) if text == "all" else []
    names = text.split(",")
    for name in names:
        if name not in RIVALS:
            raise argparse.ArgumentTypeError(f"the rivals are {', '.join(RIVALS)}")
    return names


def installed(names: list[str], absent: dict[str, str]) -> list[str]:
    """Return the engines that can be imported; say why of the others."""
    found = []
    for name in names:
        try:
            engine_class(name)
        except ModuleNotFoundError as error:
            absent[name] = f"{error.name} is not installed"
        else:
            found.append(name)
    return found


def tell(line: str) -> None:
    """Say how far a run is, beside its output."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def working_directory(chosen: str | None) -> Iterator[Path]:
    """Give a directory for stores, removed afterwards with all that is in it."""
    if chosen is not None:
        Path(chosen).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=chosen) as name:
        yield Path(name)


def plan_of(options: Any, subjects: list[Subject], directory: Path) -> Plan:
    """Return the plan that the options ask for."""
    return Plan(
        subjects=subjects,
        works=options.work or list(WORKLOADS.values()),
        counts=options.records,
        forms=options.form,
        directory=directory,
        seed=options.seed,
        repeats=options.repeats,
        limit_s=options.limit,
        counting=not options.no_counters,
    )


def _telling(words: list[str]) -> list[str]:
    """Return the words without those that only name places of this machine."""
    places = ("--out", "--dir")
    after = {at + 1 for at, word in enumerate(words) if word in places}
    kept = [word for at, word in enumerate(words) if at not in after]
    return [word for word in kept if not word.startswith(places)]


def about(options: Any, engines: list[str], directory: Path) -> dict[str, Any]:
    """Return what a figure is worth nothing without."""
    return {
        "date": now_text(),
        "command": shlex.join(["python", "-m", "benchmarks", *_telling(options.words)]),
        "commit": describe_commit(SUITE_ROOT),
        "machine": describe_machine(directory),
        "versions": versions_of(engines),
        "seed": options.seed,
        "repeats": options.repeats,
        "uses": {name: engine_class(name).use for name in engines},
        "careless": [name for name in engines if not engine_class(name).durable],
    }


def run(options: Any) -> int:
    """Measure ours beside the rivals and save the figures."""
    results = Results(about={})
    engines = installed([OURS, *options.rivals], results.absent)
    for name, why in results.absent.items():
        tell(f"{name} is left out: {why}")
    with working_directory(options.dir) as directory:
        results.about = about(options, engines, directory)
        subjects = [Subject(name, name) for name in engines]
        try:
            Run(plan_of(options, subjects, directory), results, tell).carry_out()
        finally:
            results.save(options.out)
    tell(f"saved {options.out}")
    return 0


def compare(options: Any) -> int:
    """Measure two revisions, print their ratios and save the figures."""
    results = Results(about={})
    with working_directory(options.dir) as directory:
        results.about = about(options, [OURS], directory)
        try:
            with worktrees([options.old, options.new], directory) as subjects:
                Run(plan_of(options, subjects, directory), results, tell).carry_out()
        except UnknownRevision as error:
            tell(f"benchmarks: error: {error}")
            return 2
    results.save(options.out)
    print(comparison_text(results))
    return 0


def report(options: Any) -> int:
    """Write the page, its plots and the README's comparison from saved runs."""
    page = options.output or PAGE
    # A page elsewhere is a draft, which the README has nothing to do with.
    readme = None if options.output else README
    for path in write_report(options.file or stored_files(), page, readme):
        tell(f"wrote {path}")
    return 0


def profile(options: Any) -> int:
    """Print where the time of our own workloads goes, and save it where told."""
    kept = Profiles({})
    for work in options.work or list(WORKLOADS.values()):
        with working_directory(options.dir) as directory:
            kept.about = kept.about or about(options, [OURS], directory)
            options.work, options.no_counters, options.repeats = [work], True, 1
            path = str(directory / "profile")
            subjects = [Subject(OURS, OURS)]
            plan = replace(plan_of(options, subjects, directory), profile=path)
            for form in work.forms:
                if form in options.form:
                    print(f"\n== {work.name}, {form}: {work.line}")
                    Run(replace(plan, forms=[form]), Results({}), tell).carry_out()
                    pstats.Stats(path).sort_stats("tottime").print_stats(PROFILED)
                    # Of several sizes the last one is what the file holds.
                    size = options.records[-1]
                    kept.profiles.append(profile_of(path, work.name, form, size))
    if options.out is not None:
        kept.save(options.out)
    return 0


def show_list(options: Any) -> int:
    """Print the workloads with their groups and units, one a line."""
    for one in WORKLOADS.values():
        print(f"{one.name:20} {one.group.name:13} {one.unit:10} {one.line}")
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    add = shared.add_argument
    add("--records", type=parse_counts, default=[100_000], help="such as 100k,1M")
    add("--work", type=parse_works, help="names, or group:NAME; all by default")
    add("--form", type=parse_forms, default=["map", "table"], help="map,table")
    add("--repeats", type=int, default=DEFAULT_REPEATS)
    add("--seed", type=int, default=DEFAULT_SEED)
    add("--limit", type=float, default=DEFAULT_LIMIT_S, help="seconds a process has")
    add("--dir", help="where stores are made; a temporary directory by default")
    add("--out", type=Path, default=DEFAULT_OUT, help=f"default {DEFAULT_OUT}")
    add("--no-counters", action="store_true", help="leave out the run that counts")
    command = commands.add_parser("run", parents=[shared], help=run.__doc__)
    command.add_argument("--rivals", type=parse_rivals, default=[], help="all, none...")
    command.set_defaults(do=run)
    command = commands.add_parser("compare", parents=[shared], help=compare.__doc__)
    command.add_argument("old")
    command.add_argument("new")
    command.set_defaults(do=compare)
    command = commands.add_parser("profile", parents=[shared], help=profile.__doc__)
    command.set_defaults(do=profile, out=None)
    command = commands.add_parser("report", help=report.__doc__)
    command.add_argument("file", type=Path, nargs="*", help="all stored by default")
    command.add_argument("-o", "--output", type=Path, help="a page elsewhere")
    command.set_defaults(do=report)
    command = commands.add_parser("list", help=show_list.__doc__)
    command.set_defaults(do=show_list)
    return top


def main(words: list[str]) -> int:
    """Do what the words say; return the exit code."""
    options = parser().parse_args(words)
    options.words = words
    done: int = options.do(options)
    return done


if __name__ == "__main__":
    # Ended from outside, a run still ends its process and removes its stores.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
