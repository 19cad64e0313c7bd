"""Fixtures: the command line in this process, on each database in turn or on SQLite alone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from click.testing import Result  # noqa: TID251
from typer.testing import CliRunner

