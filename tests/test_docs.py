"""The documentation is true: links lead somewhere, commands exist, examples run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# An example that takes longer than this has hung.
EXAMPLE_SECONDS_MAX = 120

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def pages(root: Path) -> Iterator[Path]:
    """Yield every page of the documentation and the top-level ones."""
    yield from sorted(root.glob("*.md"))
    yield from sorted((root / "docs").rglob("*.md"))
    yield from sorted((root / "tests" / "data").rglob("*.md"))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as they are usually made."""
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def broken_links(page: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere."""
    prose = CODE.sub("", page.read_text(encoding="utf-8"))
    faults = []
    for link in LINK.findall(prose):
        place, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", place):
            continue
        target = page.parent / place if place else page
        missing = not target.exists()
        if missing or (anchor and target.is_file() and anchor not in anchors(target)):
            faults.append(f"{page.name}: {link}")
    return faults


def test_every_relative_link_leads_somewhere(root: Path) -> None:
    """Every link between pages names a file that exists, and a heading in it."""
    assert not [fault for page in pages(root) for fault in broken_links(page)]


def test_every_page_is_reached_from_the_index(root: Path) -> None:
    """docs/README.md links every page, or the index or directory that it lies in."""
    docs = root / "docs"
    index = (docs / "README.md").read_text(encoding="utf-8")
    linked = {(docs / link.partition("#")[0]).resolve() for link in LINK.findall(index)}
    places = {path.parent for path in linked if path.name == "README.md"}
    places |= {path for path in linked if path.is_dir()}
    pages_there = set(docs.rglob("*.md")) - {docs / "README.md"}
    lost = [path for path in pages_there if path not in linked]
    assert not [path.name for path in lost if path.parent not in places - {docs}]


def first_block(text: str, heading: str) -> str:
    """Return the first fenced block under a heading of the second level."""
    part = re.split(rf"^## {heading}\n", text, flags=re.MULTILINE)[1]
    found = FENCE.search(part)
    assert found is not None
    return found[2].strip()


@pytest.mark.parametrize(("heading", "target"), [("Quick start", 0), ("Test", 1)])
def test_the_readme_gives_one_command(root: Path, heading: str, target: int) -> None:
    """Under its heading stands one command, a target of the Makefile."""
    command = first_block((root / "README.md").read_text(), heading)
    assert command == ("make quickstart", "make test")[target]
    goal = command.split()[1]
    assert re.search(rf"^{goal}:", (root / "Makefile").read_text(), re.MULTILINE)


def test_the_continuous_check_runs_the_readmes_test(root: Path) -> None:
    """.ci/run calls the command that the README gives under Test."""
    command = first_block((root / "README.md").read_text(), "Test")
    assert command in (root / ".ci" / "run").read_text().splitlines()


def examples(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield (command, lines of its output) from the console blocks of a page."""
    for language, block in FENCE.findall(page.read_text(encoding="utf-8")):
        if language != "console":
            continue
        command, shown = "", []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, shown
                command, shown = line[2:], []
            elif line.startswith("> ") and not shown:
                command += "\n" + line[2:]
            else:
                shown.append(line)
        if command:
            yield command, shown


def matches(shown: list[str], output: str) -> bool:
    """Tell whether the output is as shown; ``...`` elides lines, or part of one."""
    pattern = []
    for line in shown:
        if line.strip() == "...":
            pattern.append(r"(?:[^\n]*\n)*")
        else:
            parts = [re.escape(part.rstrip()) for part in line.split("...")]
            pattern.append("[^\n]*".join(parts) + "[ ]*\n")
    return re.fullmatch("".join(pattern), output) is not None


@pytest.fixture
def shell(root: Path, tmp_path: Path) -> dict[str, str]:
    """An environment where ``prolly`` is this source tree, with a fixed author."""
    commands = tmp_path / "bin"
    commands.mkdir()
    program = commands / "prolly"
    program.write_text(
        # Without ``site``, which takes a quarter of the time of a short command.
        f"#!{sys.executable} -S\n"
        f"import sys\nsys.path[:0] = {[str(root), str(root / 'cli'), *sys.path]!r}\n"
        "from prolly_cli.main import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "PROLLY_AUTHOR": "Ada",
        # What an example sets for all repositories is nobody's own setting.
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "TZ": "UTC",
    }


def test_the_tutorial_runs_as_shown(
    root: Path, tmp_path: Path, shell: dict[str, str]
) -> None:
    """Every command of the tutorial works, in order, and prints what is shown."""
    place = tmp_path / "work"
    place.mkdir()
    for release in (root / "tests" / "data" / "airports").glob("*.csv.gz"):
        shutil.copy(release, place)
    found = list(examples(root / "docs" / "tutorial.md"))
    assert len(found) >= 10
    run_examples(found, place, shell)


def run_examples(
    found: list[tuple[str, list[str]]], place: Path, shell: dict[str, str]
) -> None:
    """Run commands in order and compare what they print with what is shown."""
    for command, shown in found:
        # Each runs in a shell of its own; `cd` carries over by hand.
        if command.startswith("cd "):
            place = place / command[3:].strip()
            continue
        done = subprocess.run(
            command,
            shell=True,
            cwd=place,
            env=shell,
            text=True,
            capture_output=True,
            timeout=EXAMPLE_SECONDS_MAX,
        )
        output = done.stdout + done.stderr
        assert matches(shown, output), f"$ {command}\n{output}"


@pytest.mark.parametrize(
    "page",
    sorted((Path(__file__).parents[1] / "docs" / "guide").glob("*.md")),
    ids=lambda page: page.stem,
)
def test_the_guides_run_as_shown(
    page: Path, tmp_path: Path, shell: dict[str, str]
) -> None:
    """Every command of a guide works, in order, in an empty directory."""
    place = tmp_path / "work"
    place.mkdir()
    run_examples(list(examples(page)), place, shell)


def test_elided_lines_match() -> None:
    """An ellipsis stands for any lines, or for the rest of one; nothing else does."""
    assert matches(["a", "...", "d"], "a\nb\nc\nd\n")
    assert matches(["commit ...", "x ... z"], "commit 12ab\nx y z\n")
    assert matches([], "")
    assert not matches(["a"], "a\nb\n")
    assert not matches([], "a\n")
    assert not matches(["commit ..."], "author\n")


def test_the_quickstart_script_runs(
    root: Path, tmp_path: Path, shell: dict[str, str]
) -> None:
    """What ``make quickstart`` runs imports two releases and counts their changes."""
    script = root / "tests" / "quickstart.sh"
    data = root / "tests" / "data" / "airports"
    done = subprocess.run(
        ["sh", str(script), "prolly", str(data), str(tmp_path / "demo")],
        env=shell,
        text=True,
        capture_output=True,
        timeout=EXAMPLE_SECONDS_MAX,
    )
    assert done.returncode == 0, done.stderr
    for count in ("60", "14", "626"):
        assert re.search(rf"\b{count}\b", done.stdout)


def python_examples() -> list[tuple[str, str]]:
    """Return (page, code) of every python block of README and docs."""
    root = Path(__file__).parents[1]
    pages = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    return [
        (str(path.relative_to(root)), code)
        for path in pages
        for language, code in FENCE.findall(path.read_text(encoding="utf-8"))
        if language == "python"
    ]


@pytest.mark.parametrize(("page", "code"), python_examples())
def test_python_examples_print_what_they_say(
    page: str, code: str, tmp_path: Path
) -> None:
    """A python block runs, and its comment lines are what it prints."""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        check=False,
    )
    said = [line[2:] for line in code.splitlines() if line.startswith("# ")]
    assert (ran.stdout.splitlines(), ran.stderr) == (said, ""), page
