"""What collecting YAML suites costs beside as many plain tests: CPU time and memory of `pytest --collect-only`.

Both runs have the plugin, in turn and in changing order; the suite has a prompt, options and limits of its own in each
case. Bare pytest with nothing to collect is taken off both, so that the ratio is that of collecting alone. Two sizes
show whether it grows linearly. Usage: python benchmarks/collection.py [PAIRS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

SIZES = (1_000, 10_000)
AIM = 2.0
CASE = """\
  case {0}:
    prompt: Why is the sky blue, for the {0}th time?
    options: {{temperature: 0.{0}}}
    limits: {{tok/s: '>= {0}'}}
    tags: [slow]
"""
MEASURED = """
import resource, sys
import pytest
status = pytest.main(sys.argv[1:])
usage = resource.getrusage(resource.RUSAGE_SELF)
print(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=sys.stderr)
"""


class Cost(NamedTuple):
    """What one run took."""

    cpu_s: float
    peak_mib: float


def collected(folder: Path) -> Cost:
    """Collect a folder in a process of its own."""
    options = ["--collect-only", "-q", "-p", "no:cacheprovider", "--chimera-model", "gemma3", "--chimera-engine=ollama"]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *options, str(folder)],
        cwd=folder, env={**os.environ, "PYTEST_ADDOPTS": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    status, cpu_s, peak_kib = done.stderr.split()[-3:]
    assert status in {"0", "5", "ExitCode.OK", "ExitCode.NO_TESTS_COLLECTED"}, done.stdout[-2000:]
    return Cost(float(cpu_s), float(peak_kib) / 1024)


def made(folder: Path, size: int) -> tuple[Path, Path]:
    """A folder with a suite and one with plain tests."""
    suite, plain = folder / f"suite{size}", folder / f"plain{size}"
    for each in (suite, plain):
        each.mkdir()
        (each / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    if size:
        cases = "".join(CASE.format(number) for number in range(size))
        (suite / "many.chimera.yaml").write_text(f"cases:\n{cases}", encoding="utf-8")
        tests = "".join(f"def test_{number}():\n    pass\n\n" for number in range(size))
        (plain / "test_many.py").write_text(tests, encoding="utf-8")
    return suite, plain


def typical(costs: list[Cost]) -> Cost:
    """The median of each."""
    return Cost(median(each.cpu_s for each in costs), median(each.peak_mib for each in costs))


def compared(suite: Path, plain: Path, pairs: int) -> tuple[Cost, Cost]:
    """Medians of both, measured in turn; the first pair warms the caches."""
    found: tuple[list[Cost], list[Cost]] = ([], [])
    for number in range(pairs + 1):
        for which in (0, 1) if number % 2 else (1, 0):
            cost = collected((suite, plain)[which])
            if number:
                found[which].append(cost)
    return typical(found[0]), typical(found[1])


def main() -> None:
    """Print a line for each size."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor, _ = compared(*made(folder, 0), pairs)
        print(f"{'cases':>7}  {'suite':>18}  {'plain tests':>18}  {'CPU':>6}  {'memory':>6}  per case (suite)")
        for size in SIZES:
            suite, plain = compared(*made(folder, size), pairs)
            own, theirs = suite.cpu_s - floor.cpu_s, plain.cpu_s - floor.cpu_s
            more, others = suite.peak_mib - floor.peak_mib, plain.peak_mib - floor.peak_mib
            print(
                f"{size:7}  {own:6.2f} s {more:5.0f} MiB  {theirs:6.2f} s {others:5.0f} MiB"
                f"  {own / theirs:5.2f}x  {more / others:5.2f}x"
                f"  {own / size * 1e6:.0f} us, {more / size * 1024:.1f} KiB"
            )
        print(f"aim: at most {AIM}x pytest's own, and growing linearly")


if __name__ == "__main__":
    main()
