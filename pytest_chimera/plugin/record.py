"""Rows in pytest-benchmark: one per case and metric, added on the controller before pytest-benchmark saves and prints.

The only importer of pytest-benchmark. It uses four names of that package's private side and no others:
`config._benchmarksession`, its list `benchmarks`, `pytest_benchmark.stats.Metadata` and `Metadata.update`; whether
they still do what is needed is tried before the first row. What a row carries besides numbers is `extra_info`'s.
"""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import ChimeraError
from pytest_chimera.metrics import ROW_METRICS, Metric, result_statistic
from pytest_chimera.plugin.extra_info import KEY, LONGEST_KEY_BYTES, SCHEMA, bounded_id, row_info, row_params

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from pytest_chimera.records import CaseResult

LOWEST = "5.3"
"""The oldest pytest-benchmark whose private side is known to work, as pyproject says."""

_WHATEVER_CHANGED = (ImportError, AttributeError, TypeError, KeyError, ValueError, IndexError)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSource:
    """What pytest-benchmark asks of the fixture that a row came from."""

    name: str
    fullname: str
    """The key by which runs are compared."""
    group: str
    param: str
    params: dict[str, str]
    """Strings, the same keys in every row of ours: `--benchmark-group-by=param:model` fails over a row without."""
    extra_info: dict[str, Any]
    cprofile_stats: None = None
    has_error: bool = False


def benchmark_disabled(config: pytest.Config) -> bool:
    """Whether `--benchmark-disable` is in force: one round per case, and no rows.

    Asked of the options, because pytest-benchmark also counts itself as disabled under xdist, where rows are made.
    """
    disable = config.getoption("benchmark_disable", default=False)
    return bool(disable and not config.getoption("benchmark_enable", default=False))


def record_rows(config: pytest.Config, results: Iterable[CaseResult]) -> None:
    """Add the rows of every case that has a counted round, before pytest-benchmark's own `pytest_sessionfinish`.

    Does nothing on a worker, or where pytest-benchmark is off or disabled. Raises ChimeraError, and adds no row, when
    this pytest-benchmark is one that rows cannot be added to.
    """
    sources = [
        (_source(result, metric), values)
        for result in results
        for metric in ROW_METRICS
        if (values := _finite(result_statistic(metric, result).values))
    ]
    _add(config, sources)


def record_building(config: pytest.Config, nodeid: str, times: Mapping[str, float | Sequence[float]]) -> None:
    """Add one row per phase of building a report within a test: seconds, or several values of a phase.

    As `record_rows` does. On a worker nothing is added: send `times` to the controller and call it there.
    """
    sources = [
        (_building_source(nodeid, phase), values)
        for phase, seconds in times.items()
        if (values := _finite(seconds if isinstance(seconds, Sequence) else (seconds,)))
    ]
    _add(config, sources)


def update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Add this machine's hardware to what is saved, in a run that recorded rows of ours and in no other."""
    session = getattr(config, "_benchmarksession", None)
    if any(KEY in row.extra_info for row in getattr(session, "benchmarks", ())):
        machine_info[KEY] = _hardware()


def match_machine_info(machine_info: dict[str, Any], compared_benchmark: Mapping[str, Any]) -> None:
    """Before pytest-benchmark compares two machines: have our part exactly where the saved run has it.

    It compares the whole dict and before any test has run, when nobody knows yet whether this run will have a part.
    """
    if KEY in compared_benchmark.get("machine_info", {}):
        machine_info[KEY] = _hardware()
    else:
        machine_info.pop(KEY, None)


def _hardware() -> Any:
    from pytest_chimera.hardware import read_hardware  # noqa: PLC0415  # only where a case ran or runs are compared

    return read_hardware()


def _source(result: CaseResult, metric: Metric) -> RowSource:
    case = result.case
    return RowSource(
        name=f"{case.name} {metric.name}",
        fullname=row_key(case.id, metric.name),
        group=metric.name,
        param=case.model.name,
        params=row_params(metric=metric.name, model=case.model, persona=case.persona, prefix=case.prefix),
        extra_info=row_info(result, metric),
    )


def _building_source(nodeid: str, phase: str) -> RowSource:
    return RowSource(
        name=f"{nodeid.rpartition('::')[2]} report {phase}",
        fullname=row_key(nodeid, f"report {phase}"),
        group=f"report {phase}",
        param="",
        params=row_params(metric=f"report {phase}"),
        extra_info={KEY: {"schema": SCHEMA, "kind": "report", "case": nodeid, "metric": phase, "unit": "s"}},
    )


def row_key(nodeid: str, metric: str) -> str:
    """The `fullname` of a row; a node id that is too long (a prompt as parameter) ends in a hash of itself."""
    return f"{bounded_id(nodeid, LONGEST_KEY_BYTES - len(metric.encode()) - 1)} {metric}"


def _finite(values: Sequence[float]) -> tuple[float, ...]:
    """The values that can be summed and written as JSON."""
    return tuple(value for value in values if math.isfinite(value))


def _add(config: pytest.Config, sources: Sequence[tuple[RowSource, tuple[float, ...]]]) -> None:
    """Append the rows to pytest-benchmark's session."""
    session = getattr(config, "_benchmarksession", None)
    if not sources or session is None or hasattr(config, "workerinput") or benchmark_disabled(config):
        return
    try:
        from pytest_benchmark.stats import Metadata  # noqa: PLC0415  # only where there is a row to add

        rows = session.benchmarks
        _try_out(Metadata, sources[0][0])
        rows.extend([_row(Metadata, source, values) for source, values in sources])
    except _WHATEVER_CHANGED as error:
        raise _unusable(error) from error


def _try_out(metadata: Any, source: RowSource) -> None:
    """Build one row of one number and look at what would be saved of it."""
    saved = _row(metadata, source, (1.0,)).as_dict()
    if (saved["stats"]["data"], saved["fullname"]) != ([1.0], source.fullname):
        raise ValueError("a row does not keep its values")


def _row(metadata: Any, source: RowSource, values: Sequence[float]) -> Any:
    """One row of pytest-benchmark's with `values` in seconds."""
    row = metadata(source, iterations=1, options={"timer": "monotonic_ns", "warmup": False})
    for value in values:
        row.update(value)
    return row


def _unusable(error: Exception) -> ChimeraError:
    """What to tell when pytest-benchmark's private side has changed."""
    found = importlib.metadata.version("pytest-benchmark")
    return ChimeraError(
        f"Rows are not recorded: this needs pytest-benchmark >= {LOWEST}, found {found} "
        f"({type(error).__name__}: {error}).",
        "What was measured is in the report all the same.",
        "Install a version that this one of pytest-chimera knows, or a newer pytest-chimera.",
    )
