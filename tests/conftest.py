"""Fixtures that tests of several rooms share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def shared() -> Path:
    """The folder of reference material beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "ollama-wire").is_dir():
        pytest.skip(f"needs the recordings in {folder}, which are not part of the project")
    return folder
