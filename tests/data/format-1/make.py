"""Write the fixture of format version 1 into this directory: ran once, at the freeze.

    python tests/data/format-1/make.py

Running it again must change nothing but the files' spelling: the heads stay.
"""

from __future__ import annotations

import json
import tarfile
import tempfile
from pathlib import Path

import prolly
from prolly.ops import create_bundle
from prolly.repo import create_repository
from prolly.testing.format_history import still_environment, write_history

HERE = Path(__file__).parent


def main() -> None:
    """Make the history; keep the store, a bundle of it, and what its refs name."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch) / "repository"
        with create_repository(directory, environment=still_environment()) as made:
            write_history(made)
        with tarfile.open(HERE / "repository.tar.xz", "w:xz") as archive:
            archive.add(directory, "repository")
        with prolly.open(directory) as repo:
            bundle = Path(scratch) / "history.bundle"
            heads = create_bundle(repo, bundle, everything=True).refs
        with tarfile.open(HERE / "bundle.tar.xz", "w:xz") as archive:
            archive.add(bundle, "history.bundle")
    text = {name: str(commit_id) for name, commit_id in sorted(heads.items())}
    (HERE / "heads.json").write_text(json.dumps(text, indent=2) + "\n")


if __name__ == "__main__":
    main()
