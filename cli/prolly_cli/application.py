"""The application that ``--app MODULE:NAME`` names: code of whoever runs the command.

It is imported from the current directory or from where Python finds modules, never from
a repository.
"""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prolly import App, Invalid


def load_app(spelt: str) -> App:
    """Return the :class:`prolly.App` that ``MODULE:NAME`` names.

    Raises Invalid ``app`` for what cannot be imported, or is none.
    """
    from prolly import App

    module_name, colon, name = spelt.partition(":")
    if not colon or not module_name or not name:
        raise _bad_app(spelt, "it is not MODULE:NAME")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        # What the module prints is no answer of the command.
        with redirect_stdout(sys.stderr):
            found = getattr(import_module(module_name), name)
    except AttributeError as error:
        raise _bad_app(spelt, str(error)) from error
    except (Exception, SystemExit) as error:
        # A module may raise anything while it is imported, and it may end programs.
        raise _bad_app(spelt, f"{type(error).__name__}: {error}") from error
    if not isinstance(found, App):
        raise _bad_app(spelt, f"{name} is of type {type(found).__name__}, no App")
    return found


def _bad_app(spelt: str, problem: str) -> Invalid:
    from prolly import Invalid

    return Invalid(
        f"--app {spelt}: {problem}",
        code="app",
        hint="Name a module that can be imported from here, and the prolly.App in it: "
        "--app rules:app.",
        app=spelt,
    )
