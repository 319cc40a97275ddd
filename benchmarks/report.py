"""What is written from saved runs: the page, its plots, and the block in the README.

Nothing of it is typed: ``python -m benchmarks report`` makes all three again, and a
test holds them against the stored results.
"""

from __future__ import annotations

from pathlib import Path

from .node_results import NodeResults, load_node_results
from .page import page_text
from .plot import draw
from .plots import plots_of
from .process import SUITE_ROOT
from .readme_block import with_block
from .results import Results, load_results, merge

RESULTS = SUITE_ROOT / "benchmarks" / "results"
PAGE = SUITE_ROOT / "docs" / "benchmarks.md"
README = SUITE_ROOT / "README.md"
# Of another form than runs: the nodes' sizes under other parameters.
NODE_RESULTS = "node-parameters.json"


def stored_files() -> list[Path]:
    """Return the files of stored results, in order of their names."""
    return sorted(RESULTS.glob("*.json"))


def load_all(paths: list[Path]) -> tuple[list[Results], NodeResults | None]:
    """Read runs, and the results about nodes if they are among the files."""
    runs = [load_results(one) for one in paths if one.name != NODE_RESULTS]
    nodes = [load_node_results(one) for one in paths if one.name == NODE_RESULTS]
    return runs, nodes[0] if nodes else None


def report_files(paths: list[Path], page: Path, readme: Path | None) -> dict[Path, str]:
    """Return the text of every file that the results in ``paths`` give.

    Of a figure that several runs have, that of the last one is shown.
    """
    runs, nodes = load_all(paths)
    results = merge(runs)
    plots = dict(plots_of(results, nodes))
    pictures = page.with_suffix("")
    shown = [
        f"![{plot.title}]({pictures.name}/{name}.svg)" for name, plot in plots.items()
    ]
    files = {page: page_text(runs, nodes, shown)}
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
