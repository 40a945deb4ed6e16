"""What the plugin costs a run that does not use it: start-up over pytest with pytest-benchmark alone, in paired runs.

Each pair is one run without the plugin and one with it, in turn and in changing order, over a folder with one trivial
test. The median of the differences is what a person pays; the ratio puts it beside what they paid already. Prints what
is imported on our account too. Usage: python benchmarks/startup.py [PAIRS]
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

AIM_MS = 15.0
BARE = ("-q", "-p", "no:cacheprovider", "-p", "pytest_benchmark.plugin")
"""Other installed plugins stay out (autoload is off), so that two runs differ by ours alone."""
OURS = ("-p", "pytest_chimera.plugin.hooks")
TEST = "def test_nothing():\n    pass\n"


class Cost(NamedTuple):
    """What one run of pytest took, in ms."""

    wall: float
    cpu: float
    """User and system; on a busy machine the steadier of the two."""


def run_cost(folder: Path, arguments: tuple[str, ...]) -> Cost:
    """Run pytest once."""
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    began, before = time.perf_counter_ns(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=folder, env=environ, check=True, stdout=subprocess.DEVNULL
    )
    ended, after = time.perf_counter_ns(), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost((ended - began) / 1e6, cpu_s * 1e3)


def pairs(folder: Path, count: int) -> list[tuple[Cost, Cost]]:
    """(without, with) for each pair, after one pair that warms the caches."""
    found = []
    for number in range(count + 1):
        bare_first = number % 2 == 0
        first = run_cost(folder, BARE if bare_first else BARE + OURS)
        second = run_cost(folder, BARE + OURS if bare_first else BARE)
        found.append((first, second) if bare_first else (second, first))
    return found[1:]


def imported(folder: Path) -> list[str]:
    """Modules that a run has at its end because of the plugin."""
    script = "import sys, pytest; pytest.main(sys.argv[1:]); print(*sorted(sys.modules), sep='\\n', file=sys.stderr)"
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    sets = [
        set(
            subprocess.run(
                [sys.executable, "-c", script, *arguments], cwd=folder, env=environ, capture_output=True, text=True,
                check=True,
            ).stderr.splitlines()
        )
        for arguments in (BARE, BARE + OURS)
    ]  # fmt: skip
    return sorted(sets[1] - sets[0])


def show(name: str, measured: list[tuple[float, float]]) -> None:
    """Print one kind of time."""
    differences = sorted(ours - bare for bare, ours in measured)
    low, high = differences[len(differences) // 4], differences[-1 - len(differences) // 4]
    bare_ms, ours_ms = median(bare for bare, _ in measured), median(ours for _, ours in measured)
    cost = median(differences)
    print(f"{name} time, {len(measured)} pairs, medians")
    print(f"  pytest + pytest-benchmark       {bare_ms:7.1f} ms")
    print(f"  and pytest-chimera, unused      {ours_ms:7.1f} ms   ratio {ours_ms / bare_ms:.3f}")
    print(f"  cost, median of the differences {cost:7.1f} ms   quartiles {low:.1f} to {high:.1f} ms")
    fastest = min(ours for _, ours in measured) - min(bare for bare, _ in measured)
    print(f"  fastest with - fastest without  {fastest:7.1f} ms")
    print(f"  aim: under {AIM_MS:g} ms: {'met' if cost < AIM_MS else 'missed'}")


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_nothing.py").write_text(TEST, encoding="utf-8")
        measured = pairs(folder, count)
        modules = imported(folder)
    for name in Cost._fields:
        show(name, [(getattr(bare, name), getattr(ours, name)) for bare, ours in measured])
    print(f"imported on our account ({len(modules)}): {', '.join(modules)}")


if __name__ == "__main__":
    main()
