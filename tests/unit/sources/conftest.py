"""An export that a test may change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bhsim import EXPORT


@pytest.fixture
def export(tmp_path) -> Path:
    """A copy of the export that a test may change."""
    return Path(shutil.copytree(EXPORT, tmp_path / "export"))
