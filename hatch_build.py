"""The compiled kernel, where there is a C compiler; without one an install still works.

What it is: ``docs/design/0025-kernel.md``. Set ``PROLLY_KERNEL=off`` to leave it out.
"""

from __future__ import annotations

import os
import shutil
import sysconfig
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext

NAME = "prolly.codec._kernel"
SOURCES = Path("prolly", "codec", "c")


class KernelHook(BuildHookInterface):
    """Compiles the kernel into the wheel, or beside its sources for an editable one."""

    # Whatever is made on the way: the project itself may be read only.
    _workshop: TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell the wheel; a failure is told and leaves a pure wheel."""
        if self.target_name != "wheel":
            return
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        place = Path("prolly", "codec", f"_kernel{suffix}")
        beside = Path(self.root, place) if version == "editable" else None
        try:
            built = self._compile()
            if beside is not None:
                _replace(beside, built)
            elif built is not None:
                build_data["force_include"][str(built)] = str(place)
                build_data["pure_python"] = False
                build_data["infer_tag"] = True
        except (Exception, SystemExit) as error:
            self.app.display_warning(f"without the compiled kernel: {error}")
            with suppress(OSError):
                _replace(beside, None)

    def finalize(
        self, version: str, build_data: dict[str, Any], artifact_path: str
    ) -> None:
        """Leave nothing behind but the wheel."""
        if self._workshop is not None:
            self._workshop.cleanup()

    def _compile(self) -> Path | None:
        if os.environ.get("PROLLY_KERNEL") == "off":
            return None
        self._workshop = TemporaryDirectory(prefix="prolly-kernel-")
        sources = sorted(map(str, Path(self.root, SOURCES).glob("*.c")))
        # Whoever wants to debug it compiles it by hand; this makes it a fifth as large.
        extension = Extension(NAME, sources, extra_compile_args=["-g0"])
        command = build_ext(Distribution({"ext_modules": [extension]}))
        command.build_lib = self._workshop.name
        command.build_temp = str(Path(self._workshop.name, "objects"))
        command.ensure_finalized()
        command.run()
        return Path(command.get_ext_fullpath(NAME))


def _replace(place: Path | None, built: Path | None) -> None:
    """Put what was built into its place; nothing there where nothing was built."""
    if place is None:
        return
    if built is None:
        place.unlink(missing_ok=True)
        return
    # Beside its place first: a program that runs keeps the file it opened.
    fresh = place.with_name(f"{place.name}.part")
    shutil.copyfile(built, fresh)
    fresh.replace(place)
