"""A file of pytest-benchmark's as a saved run: the rounds of each metric of each case, and what they were measured on.

Rows of ours are read from their `extra_info` (docs/recording.md); rows without it from pytest-benchmark's own numbers,
as far as they go. Whether two runs may be compared is decided in `conditions`; where files are found, in `sources`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import BaselineError
from pytest_chimera.gate.conditions import Conditions, conditions_of
from pytest_chimera.gate.series import KNOWN_UNIT, Series
from pytest_chimera.metrics import METRICS, ROW_METRICS

if TYPE_CHECKING:
    from pathlib import Path

KEY = "chimera"
"""Name of our part within `extra_info` and `machine_info`, so that nobody else's names are taken."""

SCHEMA = 1
"""Version of that part, which `docs/recording.md` describes: it rises when a name changes its meaning or goes."""

_GO_ON = "Name another file, or leave it out."
_PYTEST_BENCHMARK_STATS = {
    "median": "median",
    "mean": "mean",
    "min": "min",
    "max": "max",
    "sd": "stddev",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCase:
    """One case as a run recorded it."""

    id: str
    name: str
    """For people: the id without its path."""
    conditions: Conditions
    series: Mapping[str, Series]
    """Metric -> its rounds."""
    complete: bool = True
    """Whether all its rounds were made."""
    gate: tuple[str, ...] | None = None
    """What its marker or call gates it by; None leaves it to the run."""
    gate_failed: bool = False
    """Whether its own gate made it fail."""
    unconfirmed: bool = False
    """Whether it was found worse and then, measured again, not: its rounds are odd."""
    verdicts: tuple[Mapping[str, Any], ...] = ()
    """As saved: the dict form of `records.Verdict`."""
    lengths: tuple[int | None, ...] = ()
    """Tokens of each counted answer that was ended by its length; None for one that ended otherwise."""
    info: Mapping[str, Any] = field(default_factory=dict)
    """Everything recorded of one of its rows."""

    @property
    def one_length(self) -> int | None:
        """The length of every answer, where it was fixed and each round ended by it; else None."""
        return self.lengths[0] if self.lengths and len(set(self.lengths)) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRun:
    """One file."""

    name: str
    """For people, as short as it can be told apart."""
    source: str
    """The file."""
    cases: Mapping[str, SavedCase]
    number: int | None = None
    """In pytest-benchmark's storage."""
    time: datetime | None = None
    branch: str | None = None
    commit: str | None = None
    machine: Mapping[str, Any] = field(default_factory=dict)
    """The hardware that pytest ran on."""
    foreign_rows: int = 0
    """Rows that are no case of ours: ordinary benchmarks."""

    @property
    def passed(self) -> bool:
        """Whether its own gate passed, as far as it had one."""
        return not any(case.gate_failed for case in self.cases.values())


def read_run(path: Path, name: str, number: int | None = None) -> SavedRun:
    """The run in a file.

    Raises BaselineError, which names the file and says why it cannot be used.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        why = error.strerror or error
        raise BaselineError(f"The saved run {str(path)!r} cannot be read: {why}.", "", _GO_ON) from None
    except (ValueError, RecursionError) as error:
        reason = "it is not JSON to its end" if isinstance(error, json.JSONDecodeError) else "it is no text of JSON"
        raise BaselineError(f"The saved run {str(path)!r} is damaged: {reason} ({error}).", "", _GO_ON) from None
    return read_document(data, str(path), name=name, number=number)


def read_document(data: Any, source: str, *, name: str, number: int | None = None) -> SavedRun:
    """The run in a document of pytest-benchmark's; `source` is what errors call it. Raises BaselineError."""
    rows = data.get("benchmarks") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(rows, list) or not _are_rows(rows):
        raise BaselineError(
            f"{source!r} is no saved run of pytest-benchmark: it has no list of 'benchmarks'.",
            "Accepted: files written by --benchmark-save, --benchmark-autosave or --benchmark-json.",
            _GO_ON,
        )
    machine = _mapping(_mapping(data.get("machine_info")).get(KEY))
    try:
        cases, foreign = _cases(rows, machine, source)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise BaselineError(
            f"The saved run {source!r} is damaged: a row is not as it is written by this plugin ({error!r}).",
            "",
            _GO_ON,
        ) from None
    commit = _mapping(data.get("commit_info"))
    return SavedRun(
        name=name,
        source=source,
        number=number,
        cases=cases,
        time=_time(data.get("datetime")),
        branch=_text(commit.get("branch")),
        commit=_text(commit.get("id")),
        machine=machine,
        foreign_rows=foreign,
    )


def read_case(infos: Sequence[Mapping[str, Any]], machine: Mapping[str, Any]) -> SavedCase:
    """The case that the `extra_info` parts of its rows describe, in a file or of the run that goes on."""
    first = infos[0]
    series: dict[str, Series] = {}
    for info in infos:
        series |= _recorded(info)
    verdicts = [each for info in infos for each in info.get("verdicts") or ()]
    counted = [each for each in first["rounds"] if each["counted"]]
    gate = first.get("gate")
    return SavedCase(
        id=first["case"],
        name=short_name(first["case"]),
        conditions=conditions_of(first, machine),
        series=series,
        complete=first.get("complete") is not False,
        gate=(gate,) if isinstance(gate, str) else None if gate is None else tuple(gate),
        gate_failed=bool(first.get("gate_broken")) or any(_failed(each) for each in verdicts),
        unconfirmed=any(_mapping(each.get("second")).get("confirmed") is False for each in verdicts),
        verdicts=tuple(verdicts),
        lengths=tuple(map(_length, counted)),
        info=first,
    )


def short_name(case: str) -> str:
    """The id of a case without its path, for people."""
    return case.split("::", maxsplit=1)[-1]


def _cases(rows: Sequence[Any], machine: Mapping[str, Any], source: str) -> tuple[dict[str, SavedCase], int]:
    """Every case of a file by its id, and how many rows are none of ours."""
    infos: dict[str, list[Mapping[str, Any]]] = {}
    plain: dict[str, dict[str, Series]] = {}
    foreign = 0
    for row in rows:
        info = _mapping(row.get("extra_info")).get(KEY)
        if isinstance(info, Mapping):
            _refuse_newer(info, source)
            if info.get("kind") == "case" and info.get("confirms") is None:
                infos.setdefault(info["case"], []).append(info)
            continue
        case, metric = _split_key(str(row.get("fullname", "")))
        if metric is None:
            foreign += 1
        else:
            plain.setdefault(case, {}).update(_bare(metric, row["stats"]))
    found = {case: read_case(each, machine) for case, each in infos.items()}
    bare = {
        case: SavedCase(id=case, name=short_name(case), conditions=Conditions(), series=series)
        for case, series in plain.items()
        if case not in found
    }
    return found | bare, foreign


def _recorded(info: Mapping[str, Any]) -> dict[str, Series]:
    """The metrics that one row of ours holds: its own, and those without a row that stand with it."""
    counted = [each for each in info["rounds"] if each["counted"]]
    unit = info.get("unit", KNOWN_UNIT)
    own = Series.of(info["metric"], [each["value"] for each in counted], unit=unit)
    found = {info["metric"]: own} if info["metric"] in METRICS else {}
    if info["metric"] == "time/token":
        found["tok/s"] = own.inverse("tok/s")
    names = dict.fromkeys(name for each in counted for name in each.get("metrics") or {})
    pooled = _mapping(info.get("pooled"))
    for name in names:
        if name in METRICS:
            values = [each["metrics"].get(name) for each in counted if each.get("metrics")]
            found[name] = Series.of(name, values, statistics=_mapping(pooled.get(name)))
    return found


def _bare(metric: str, stats: Mapping[str, Any]) -> dict[str, Series]:
    """What pytest-benchmark's own numbers say of a row: the values where they were saved, else its statistics."""
    data = stats.get("data")
    if isinstance(data, list) and data:
        own = Series.of(metric, data)
    else:
        known = {name: float(stats[key]) for name, key in _PYTEST_BENCHMARK_STATS.items() if key in stats}
        own = Series(metric=metric, values=None, statistics=known, n=int(stats.get("rounds", 0)))
    found = {metric: own}
    if metric == "time/token":
        found["tok/s"] = own.inverse("tok/s")
    return found


def _split_key(fullname: str) -> tuple[str, str | None]:
    """Case and metric of a row's `fullname`; no metric where it is not one of our rows."""
    for metric in ROW_METRICS:
        if fullname.endswith(f" {metric.name}"):
            return fullname[: -len(metric.name) - 1], metric.name
    return fullname, None


def _refuse_newer(info: Mapping[str, Any], source: str) -> None:
    schema = info.get("schema")
    if not isinstance(schema, int) or schema > SCHEMA:
        raise BaselineError(
            f"The saved run {source!r} was written in schema {schema!r} of a newer pytest-chimera.",
            f"This version reads schemas up to {SCHEMA}.",
            "Use the version that wrote it, or leave it out.",
        )


def _length(counted: Mapping[str, Any]) -> int | None:
    tokens = counted.get("output_tokens")
    return tokens if counted.get("done_reason") == "length" and isinstance(tokens, int) else None


def _failed(verdict: Mapping[str, Any]) -> bool:
    """Whether a case became worse; that an arm is worse than another of its session says nothing of its history."""
    arm = verdict.get("against") is not None
    return verdict.get("outcome") == "worse" and verdict.get("gated") is not False and not arm


def _are_rows(rows: object) -> bool:
    """Whether this is the list of a file of pytest-benchmark's: other tools have one of the same name."""
    return (
        isinstance(rows, list)
        and all(isinstance(row, Mapping) for row in rows)
        and (not rows or any({"fullname", "stats"} <= row.keys() for row in rows))
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _time(value: object) -> datetime | None:
    """When a file was written; one without a zone is in UTC, as pytest-benchmark writes it."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=timezone.utc) if found is not None and found.tzinfo is None else found
