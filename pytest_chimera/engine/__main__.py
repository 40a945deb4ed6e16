"""`python -m pytest_chimera.engine`: the engine's command, as its parent process starts it."""

from __future__ import annotations

import sys

from pytest_chimera.engine.cli import engine_main

if __name__ == "__main__":
    sys.exit(engine_main())
