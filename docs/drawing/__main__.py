"""``python -m docs.drawing``: draw the pictures of docs/pictures anew.

Terminals are drawn by ``terminal_svg`` from what the commands print on one; pages are
photographed by a browser, chromium or chrome, that must be installed for it. Without
one the pages keep the pictures that they have.
"""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .terminal_svg import terminal_svg

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "docs" / "pictures"
DATA = ROOT / "tests" / "data" / "airports"
COLUMNS = 100

PROGRAM = (
    sys.executable,
    "-c",
    f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'cli')!r}];"
    "from prolly_cli.main import main; sys.exit(main())",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
# Blink's number for a person who likes it dark.
DARK = "--blink-settings=preferredColorScheme=0"

# Two people edit one note and one price: what the pictures of conflicts show.
TEA = "A light green tea from the hills of Uji"
SCENE = f"""
init -q demo
-C demo import airports {DATA}/airports-20250622.csv.gz --key icao -q -m 'June 2025'
-C demo import airports {DATA}/airports-20250909.csv.gz -q -m 'September 2025'
-C demo tag september
-C demo tag june HEAD~1
-C demo dataset create teas --schema schema.json
-C demo put teas sencha '{{"cents": 320, "note": "{TEA}"}}' -q
-C demo put teas hojicha '{{"cents": 280, "note": "Roasted, 焙じ茶"}}' -q
-C demo commit -q -m 'Two teas'
-C demo branch bob -q
-C demo put teas sencha '{{"cents": 350, "note": "{TEA}, Japan"}}' -q
-C demo commit -q -m 'Dearer sencha'
-C demo switch bob -q
-C demo put teas sencha '{{"cents": 340, "note": "A dark green tea from Uji"}}' -q
-C demo commit -q -m 'Another sencha'
-C demo put teas hojicha '{{"cents": 290}}' --update -q
-C demo commit -q -m 'Dearer hojicha'
-C demo switch main -q
-C demo merge bob -q
"""
SCHEMA = """{"columns": [{"name": "name", "type": "text"}, {"name": "cents",
"type": "int"}, {"name": "note", "type": "text"}], "key": ["name"]}"""

TERMINALS = {
    "diff": (COLUMNS, 24, "diff june september"),
    "conflicts": (COLUMNS, 24, "conflicts"),
    "narrow": (44, 14, "diff june september -- airports:BIH"),
}
AFTERWARDS = {
    "log": (COLUMNS, 24, "log --graph"),
    "blame": (COLUMNS, 24, "blame teas"),
}
PAGES = {"diff": "diff june september", "conflicts": "conflicts"}
LATER_PAGES = {"log": "log"}
SIZES = {"diff": (1100, 560), "conflicts": (1000, 420), "log": (760, 420)}


def run(place: Path, words: str) -> None:
    """Run a command line; conflicts are an answer, too."""
    import shlex

    command = [*PROGRAM, *shlex.split(words)]
    environment = {**os.environ, "PROLLY_AUTHOR": "Bob" if "bob" in words else "Ada"}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True)
    if done.returncode > 1:
        raise SystemExit(done.stderr.decode())


def on_terminal(place: Path, words: str, columns: int) -> str:
    """Return what a command prints on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "PAGER": ""}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [*PROGRAM, *words.split()], cwd=place, stdout=theirs, env=environment
    )
    os.close(theirs)
    data = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:
            break
        data += block
    os.close(ours)
    process.wait()
    return data.decode().replace("\r\n", "\n")


def draw_terminals(place: Path, scenes: dict[str, tuple[int, int, str]]) -> None:
    """Draw what commands print, its first lines."""
    for name, (columns, lines, words) in scenes.items():
        shown = on_terminal(place, words, columns).split("\n")[:lines]
        text = "\n".join([f"\x1b[2m$\x1b[0m prolly {words}", *shown])
        (TARGET / f"{name}.svg").write_text(terminal_svg(text, columns))


def draw_pages(place: Path, scenes: dict[str, str], browser: str | None) -> None:
    """Photograph pages, in light and in dark."""
    for name, words in scenes.items():
        run(place, f"{words} --format html -o {place / name}.html")
        for suffix, more in (("", []), ("-dark", [DARK])):
            if browser is not None:
                photograph(
                    browser, place / f"{name}.html", f"{name}-page{suffix}", more
                )


def photograph(browser: str, page: Path, name: str, more: list[str]) -> None:
    """Write a picture of a page to docs/pictures."""
    wide, high = SIZES[page.stem]
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                browser,
                *BROWSER_OPTIONS,
                *more,
                f"--user-data-dir={profile}",
                f"--window-size={wide},{high}",
                f"--screenshot={TARGET / f'{name}.png'}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
        )


def main() -> None:
    """Make a repository, and draw what it shows."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "schema.json").write_text(SCHEMA)
        (place / "demo").mkdir()
        (place / "demo" / "schema.json").write_text(SCHEMA)
        for words in SCENE.strip().splitlines():
            run(place, words)
        place /= "demo"
        draw_terminals(place, TERMINALS)
        draw_pages(place, PAGES, browser)
        run(place, "resolve teas --theirs")
        run(place, "merge --continue")
        draw_terminals(place, AFTERWARDS)
        draw_pages(place, LATER_PAGES, browser)
    if browser is None:
        print("no chromium or chrome here: pages keep their pictures", file=sys.stderr)


if __name__ == "__main__":
    main()
