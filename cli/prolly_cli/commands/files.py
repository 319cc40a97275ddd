"""``prolly files``: directories in, one file out, a directory out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..command_group import VerbGroup
from ..invocation import Invocation
from ..output import number, plural, visible
from ..versions import at_option, read_version
from ..waiting_merges import note_open_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prolly import FileEntry, Files
    from prolly.maps import AddResult, MutableFiles


@click.group("files", cls=VerbGroup)
def command() -> None:
    """Keep files and directories in a dataset, and get them out again."""


@command.command("add")
@click.argument("dataset")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--into", default="", metavar="DIRECTORY", help="Put them below this directory."
)
@click.option(
    "--replace",
    is_flag=True,
    help="Delete what is not among them, from the dataset or from DIRECTORY.",
)
@click.pass_obj
def add(
    invocation: Invocation,
    dataset: str,
    paths: tuple[str, ...],
    into: str,
    replace: bool,
) -> None:
    """Write files into DATASET, with their mode and time.

    Of a directory everything below it is written, under paths that begin at it; of a
    file, its name. DATASET is made when it is not there. The change waits in the
    working state for `prolly commit`.
    """
    repository = invocation.repository(writable=True)
    places = [invocation.path(path) for path in paths]
    with invocation.editing(repository, f"files add {dataset}") as workspace:
        result = _add_all(workspace.files(dataset), places, into, replace)
    output = invocation.output
    if output.json:
        counts = {name: getattr(result, name) for name in _COUNTS}
        output.document({"dataset": dataset, **counts})
    shown = ", ".join(f"{number(getattr(result, name))} {name}" for name in _COUNTS)
    output.say(f"{visible(dataset)}: {shown}")
    note_open_files(output, repository, dataset)


_COUNTS = ("added", "modified", "removed", "unchanged")


def _add_all(
    files: MutableFiles, places: list[str], into: str, replace: bool
) -> AddResult:
    """Write all that was named; with ``replace`` delete what was not."""
    from prolly.maps import AddResult

    prefix = f"{into.removesuffix('/')}/" if into else ""
    result, kept = AddResult(), set()
    for place in places:
        if Path(place).is_dir():
            counts, paths = files.add_directory(place, prefix)
        else:
            path = prefix + Path(place).absolute().name
            counts, paths = files.add_file(place, path), {path}
        result += counts
        kept |= paths
    if replace:
        result += files.keep_only(kept, prefix)
    return result


@command.command("rm")
@click.argument("dataset")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.pass_obj
def remove(invocation: Invocation, dataset: str, paths: tuple[str, ...]) -> None:
    """Delete files of DATASET, or all files below a directory of it.

    The disk is not touched. The change waits in the working state for `prolly commit`.
    """
    repository = invocation.repository(writable=True)
    with invocation.editing(repository, f"files rm {dataset}") as workspace:
        workspace.require(dataset)
        files = workspace.files(dataset)
        count = sum(files.delete(path.removesuffix("/")) for path in paths)
    output = invocation.output
    if output.json:
        output.document({"dataset": dataset, "removed": count})
    output.say(f"{visible(dataset)}: {number(count)} removed")
    note_open_files(output, repository, dataset)


@command.command("ls")
@click.argument("dataset")
@click.argument("prefix", default="", metavar="[PREFIX]")
@at_option
@click.pass_obj
def list_files(
    invocation: Invocation, dataset: str, prefix: str, at: str | None
) -> None:
    """List the files of DATASET, or those below the directory PREFIX.

    Of each its mode, its size in bytes and its path.
    """
    files = read_version(invocation, at).files(dataset)
    output = invocation.output
    for path, entry in _listed(files, prefix.removesuffix("/")):
        if output.json:
            output.document({"path": path, **entry.summary()})
        else:
            output.line(f"{entry.mode:03o}  {entry.size:>12}  {visible(path)}")


def _listed(files: Files, path: str) -> Iterator[tuple[str, FileEntry]]:
    """Yield one file, or those below a directory; KeyNotFound when there is neither."""
    if path and not files.is_directory(path):
        yield path, files[path]
        return
    yield from files.items(prefix=f"{path}/" if path else None)


@command.command("cat")
@click.argument("dataset")
@click.argument("path", required=False)
@at_option
@click.pass_obj
def cat(invocation: Invocation, dataset: str, path: str | None, at: str | None) -> None:
    """Print the bytes of the file PATH of DATASET.

    Without PATH, DATASET is a blob, and its bytes are printed.
    """
    if invocation.output.json:
        raise click.UsageError("a file's bytes are no JSON; leave --json out")
    snapshot = read_version(invocation, at)
    if path is None:
        opened = snapshot.blob(dataset)
    else:
        opened = snapshot.files(dataset).open(path)
    stream = invocation.output.stream()
    with opened as file:
        for part in file.iter_read():
            stream.write(part)
    stream.flush()


@command.command("checkout")
@click.argument("dataset")
@click.argument("directory")
@at_option
@click.option("--from", "prefix", default="", metavar="PREFIX", help="Only these.")
@click.option(
    "--verify",
    is_flag=True,
    help="Compare contents too where size and time are as they should be.",
)
@click.option("--force", is_flag=True, help="Overwrite files that no version has, too.")
@click.pass_obj
def checkout(
    invocation: Invocation,
    dataset: str,
    directory: str,
    at: str | None,
    prefix: str,
    verify: bool,
    force: bool,
) -> None:
    """Write the files of DATASET into DIRECTORY, made when it is not there.

    Files that are as they should be are left alone, and so are files that DATASET does
    not have. With --from only the files below the directory PREFIX are written. Nothing
    is written where a file would be lost whose content no version has.
    """
    files = read_version(invocation, at).files(dataset)
    target = invocation.path(directory)
    result = files.checkout(target, prefix=prefix, verify=verify, overwrite=force)
    output = invocation.output
    if output.json:
        output.document(
            {
                "dataset": dataset,
                "directory": directory,
                "written": result.written,
                "unchanged": result.unchanged,
            }
        )
    unchanged = f", {number(result.unchanged)} unchanged" if result.unchanged else ""
    output.say(
        f"{visible(dataset)}: wrote {plural(result.written, 'file')} into "
        f"{visible(directory)}{unchanged}"
    )
