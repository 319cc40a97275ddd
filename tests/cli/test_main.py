"""The program as a whole: help, global options, and every exit code."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
from conftest import Run
