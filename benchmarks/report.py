"""What is written from saved runs: the page, its plots, and the block in the README.

Nothing of it is typed: ``python -m benchmarks report`` makes all three again, and a
test holds them against the stored results.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .node_results import NodeResults, load_node_results
from .page import page_text
from .plot import draw
from .plots import plots_of
from .process import SUITE_ROOT
from .profiles import Profiles, load_profiles
from .readme_block import with_block
from .results import Results, load_results, merge

RESULTS = SUITE_ROOT / "benchmarks" / "results"
PAGE = SUITE_ROOT / "docs" / "benchmarks.md"
README = SUITE_ROOT / "README.md"
# Of other forms than runs: the nodes' sizes under other parameters, and profiles.
NODE_RESULTS = "node-parameters.json"
PROFILES = "profiles.json"


def stored_files() -> list[Path]:
    """Return the files of stored results, in order of their names."""
    return sorted(RESULTS.glob("*.json"))


class Stored(NamedTuple):
    """Everything that stored files hold: runs, and what else is among them."""

    runs: list[Results]
    nodes: NodeResults | None
    profiles: Profiles | None


def load_all(paths: list[Path]) -> Stored:
    """Read stored files, each in the form that its name tells."""
    others = (NODE_RESULTS, PROFILES)
    runs = [load_results(one) for one in paths if one.name not in others]
    nodes = [load_node_results(one) for one in paths if one.name == NODE_RESULTS]
    profiles = [load_profiles(one) for one in paths if one.name == PROFILES]
    return Stored(runs, nodes[0] if nodes else None, profiles[0] if profiles else None)


def report_files(paths: list[Path], page: Path, readme: Path | None) -> dict[Path, str]:
    """Return the text of every file that the results in ``paths`` give.

    Of a figure that several runs have, that of the last one is shown.
    """
    stored = load_all(paths)
    results = merge(stored.runs)
    plots = dict(plots_of(results, stored.nodes))
    pictures = page.with_suffix("")
    shown = [
        f"![{plot.title}]({pictures.name}/{name}.svg)" for name, plot in plots.items()
    ]
    files = {page: page_text(*stored, shown)}
    for name, plot in plots.items():
        files[pictures / f"{name}.svg"] = draw(plot)
    if readme is not None:
        files[readme] = with_block(readme.read_text(encoding="utf-8"), results)
    return files


def write_report(paths: list[Path], page: Path, readme: Path | None) -> list[Path]:
    """Write the page, its plots into a directory of its name, and the README's block.

    Plots of that directory that the results do not give are removed. Returns the files.
    """
    files = report_files(paths, page, readme)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in page.with_suffix("").glob("*.svg"):
        if path not in files:
            path.unlink()
    return list(files)
