"""The build: a wheel takes the kernel along where it compiles, and goes on without."""

from __future__ import annotations

import os
import shutil
import sysconfig
import tarfile
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hatchling.builders.sdist import SdistBuilder

ROOT = Path(__file__).parent.parent
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
PLACE = Path("prolly", "codec", f"_kernel{SUFFIX}")
HAS_COMPILER = shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of what the kernel is built of."""
    root = tmp_path / "tree"
    shutil.copytree(ROOT / "prolly" / "codec" / "c", root / "prolly" / "codec" / "c")
    shutil.copy(ROOT / "hatch_build.py", root)
    return root


@pytest.fixture(autouse=True)
def _usual_setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("PROLLY_KERNEL", raising=False)
    yield


def build(
    root: Path, version: str = "standard", target: str = "wheel"
) -> tuple[Any, dict[str, Any], list[str]]:
    """Let the hook begin a build; return it, what it tells the wheel, and warnings."""
    spec = spec_from_file_location("hatch_build", root / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    warnings: list[str] = []
    app: Any = SimpleNamespace(display_warning=warnings.append)
    metadata: Any = None
    hook = module.KernelHook(str(root), {}, None, metadata, "", target, app)
    data: dict[str, Any] = {"force_include": {}}
    hook.initialize(version, data)
    return hook, data, warnings


def test_a_wheel_takes_the_kernel_along_where_it_compiles(tree: Path) -> None:
    """It is of one platform then, and nothing is left behind; else a warning tells."""
    before = sorted(tree.rglob("*"))
    hook, data, warnings = build(tree)
    if HAS_COMPILER:
        [(built, place)] = data["force_include"].items()
        assert place == str(PLACE) and Path(built).stat().st_size > 0
        assert (data["pure_python"], data["infer_tag"]) == (False, True)
        assert not warnings
    else:
        assert (data, len(warnings)) == ({"force_include": {}}, 1)
    hook.finalize("standard", data, "")
    assert not any(map(os.path.exists, data["force_include"]))
    assert sorted(tree.rglob("*")) == before


def test_without_a_compiler_the_wheel_is_pure(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compiler that fails, and one that is not there, are told and end nothing."""
    for compiler in ("false", "/nowhere/cc"):
        monkeypatch.setenv("CC", compiler)
        hook, data, warnings = build(tree)
        hook.finalize("standard", data, "")
        assert data == {"force_include": {}}
        assert len(warnings) == 1 and "without the compiled kernel" in warnings[0]


def test_an_old_kernel_does_not_stay_beside_new_sources(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editable install that cannot compile, or must not, takes it away."""
    for setting, name in (("CC", "false"), ("PROLLY_KERNEL", "off")):
        with monkeypatch.context() as changed:
            changed.setenv(setting, name)
            (tree / PLACE).write_bytes(b"of other sources")
            hook, data, warnings = build(tree, "editable")
            hook.finalize("editable", data, "")
        assert not (tree / PLACE).exists()
        assert data == {"force_include": {}}
        assert len(warnings) == (setting == "CC")


def test_a_tree_that_cannot_be_written_ends_no_install(tree: Path) -> None:
    """Where the kernel should lie is something else: told, and gone on without it."""
    (tree / PLACE).mkdir()
    hook, data, warnings = build(tree, "editable")
    hook.finalize("editable", data, "")
    assert data == {"force_include": {}} and len(warnings) == 1


def test_only_a_wheel_is_compiled_for(tree: Path) -> None:
    """A source distribution is made without a compiler, and holds the sources."""
    _, data, warnings = build(tree, target="sdist")
    assert (data, warnings) == ({"force_include": {}}, [])


def test_the_source_distribution_has_what_a_build_needs(tmp_path: Path) -> None:
    """All sources of the kernel, and what compiles them; no compiled file."""
    [made] = SdistBuilder(str(ROOT)).build(directory=str(tmp_path))
    with tarfile.open(made) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    sources = {
        str(one.relative_to(ROOT)) for one in (ROOT / "prolly/codec/c").glob("*.[ch]")
    }
    assert sources and sources | {"hatch_build.py"} <= names
    assert not any(name.endswith((".so", ".pyd")) for name in names)
