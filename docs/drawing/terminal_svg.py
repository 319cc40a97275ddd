"""What a terminal shows, as SVG: text stays text, in light and dark, a few kB.

Understands the styles that the command line uses (bold, faint and the eight colours),
and no other escape.
"""

from __future__ import annotations

import re
from html import escape

from prolly_cli.display_width import clusters, width

CELL_WIDTH = 8.4
LINE_HEIGHT = 19
MARGIN = 14

ESCAPE = re.compile("\x1b\\[([0-9;]*)m")
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
# By SGR number: light, dark.
COLORS = {
    "31": ("#b3222b", "#ff8f8f"),
    "32": ("#187033", "#74d98f"),
    "33": ("#855900", "#e5b95c"),
    "34": ("#1f5fbf", "#82b4ff"),
    "35": ("#9a2fa8", "#e39bea"),
    "36": ("#0b6b78", "#6fd0dd"),
}


def terminal_svg(text: str, columns: int) -> str:
    """Return a picture of printed lines, so many columns wide."""
    lines = text.rstrip("\n").split("\n")
    wide = round(columns * CELL_WIDTH + 2 * MARGIN)
    high = len(lines) * LINE_HEIGHT + 2 * MARGIN
    light = "".join(f".c{n}{{fill:{one}}}" for n, (one, _) in COLORS.items())
    dark = "".join(f".c{n}{{fill:{one}}}" for n, (_, one) in COLORS.items())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" '
        f'width="{wide}" height="{high}" role="img">\n<style>'
        f"text{{font:14px {FONT};fill:#1c2128;white-space:pre}}"
        ".c1{font-weight:700}.c2{opacity:.62}"
        ".ground{fill:#fbfcfd;stroke:#d5dae0}" + light + "@media "
        "(prefers-color-scheme:dark){text{fill:#e3e7eb}"
        ".ground{fill:#15191e;stroke:#343c45}" + dark + "}</style>\n"
        f'<rect class="ground" x=".5" y=".5" width="{wide - 1}" height="{high - 1}" '
        'rx="8"/>\n'
    ]
    for number, line in enumerate(lines):
        parts += _line(line, MARGIN + (number + 0.75) * LINE_HEIGHT)
    return "".join([*parts, "</svg>\n"])


def _line(line: str, y: float) -> list[str]:
    """Return the texts of a line, each where its column is."""
    found = []
    column = 0
    style = ""
    for place, part in enumerate(ESCAPE.split(line)):
        if place % 2:
            style = "" if part in ("", "0") else part
            continue
        for word in re.split(r"(\s{2,})", part):
            if word.strip():
                found.append(_text(word, MARGIN + column * CELL_WIDTH, y, style))
            column += width(word)
    return found


def _text(word: str, x: float, y: float, style: str) -> str:
    """Return one piece of text, in exactly the columns that it takes."""
    names = " ".join(f"c{number}" for number in style.split(";") if number)
    drawn = f' class="{names}"' if names else ""
    long = sum(columns for _, columns in clusters(word)) * CELL_WIDTH
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" textLength="{long:.1f}" '
        f'lengthAdjust="spacingAndGlyphs"{drawn} xml:space="preserve">'
        f"{escape(word)}</text>\n"
    )
