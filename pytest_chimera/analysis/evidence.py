"""What is analysed: measurements and artifacts, with the numbers of one row together and in one order.

The order comes from the places, never from the order in which the measurements came, so that it plays no part.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_chimera.records import Artifact, Leftover, Measurement

_LARGEST, _SMALLEST = 1e60, 1e-60
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
"""Times before and after are none of a benchmark."""

Place = tuple[str, str, str]
"""File, series and row of a number."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that was read from a folder."""

    measurements: tuple[Measurement, ...] = ()
    """Of the measured programs and of the machine; each once, with its copies."""
    others: tuple[Measurement, ...] = ()
    """Numbers of neither, such as accuracies."""
    artifacts: tuple[Artifact, ...] = ()
    left: tuple[Leftover, ...] = ()

    @cached_property
    def ordered(self) -> tuple[Measurement, ...]:
        """The measurements by file, series, row and place; without those of no size that is measured anywhere."""
        return tuple(sorted((each for each in self.measurements if is_plausible(each.value)), key=_order))

    @cached_property
    def absurd(self) -> tuple[Measurement, ...]:
        """Numbers too large or too small to be measurements, which no part looks at."""
        return tuple(sorted((each for each in self.measurements if not is_plausible(each.value)), key=_order))

    @cached_property
    def files(self) -> tuple[Artifact, ...]:
        """The artifacts by path."""
        return tuple(sorted(self.artifacts, key=lambda each: each.path))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The raw rows, by model, file and series."""
        return tuple(sorted(_grouped(self.ordered), key=lambda each: each.key))

    @cached_property
    def aggregates(self) -> tuple[Measurement, ...]:
        """What somebody computed from several values, in order; never mixed with raw rows."""
        return tuple(each for each in self.ordered if is_aggregate(each))


@dataclass(slots=True, kw_only=True)
class Row:
    """The measured numbers of one row."""

    place: Place
    number: int | None
    model: str | None
    parameters: Mapping[str, float | str]
    labels: Mapping[str, str]
    time: str | None
    failure: str | None
    cold: bool | None
    values: dict[str, Measurement] = field(default_factory=dict)
    """By metric; those that have a value."""

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.failure is None


@dataclass(slots=True, kw_only=True)
class Group:
    """Raw rows of one model in one series of one file: numbers that may be pooled."""

    model: str | None
    file: str
    series: str
    rows: list[Row] = field(default_factory=list)
    """In the order of the file."""

    @property
    def key(self) -> tuple[str, str, str]:
        """By which groups are sorted."""
        return (self.model or "", self.file, self.series)

    @property
    def subject(self) -> dict[str, str]:
        """Whom facts about it speak of."""
        return subject_of(self.model, self.file, self.series)

    @property
    def failed(self) -> list[Row]:
        """Its rows that failed."""
        return [row for row in self.rows if not row.ok]

    @property
    def has_cold(self) -> bool:
        """Whether the model was loaded for one of its rows that succeeded."""
        return any(row.cold and row.ok for row in self.rows)

    def values(self, metric: str, *, cold: bool | None = None) -> list[Measurement]:
        """The values of a metric in rows that succeeded; of cold, of warm or of all rows."""
        return [
            row.values[metric] for row in self.rows if metric in row.values and (cold is None or bool(row.cold) == cold)
        ]

    def metrics(self, role: str = "performance") -> list[str]:
        """Metrics of a role that have a value in some row, in the order of reports."""
        return sorted({name for row in self.rows for name, each in row.values.items() if each.role == role}, key=rank)


def is_plausible(value: float | None) -> bool:
    """Whether a number can be one of a measurement: squares of others overflow, and a file may hold anything."""
    return not value or _SMALLEST <= abs(value) <= _LARGEST


def is_raw(each: Measurement) -> bool:
    """Whether it is one value of one run."""
    return each.provenance == "measured" and each.statistic == "value"


def is_aggregate(each: Measurement) -> bool:
    """Whether somebody computed it from several values; claims of prose are neither."""
    return each.provenance != "claim" and not is_raw(each)


def subject_of(model: str | None, file: str | None = None, series: str = "") -> dict[str, str]:
    """Whom a fact speaks of, of the parts that are known."""
    found = {} if model is None else {"model": model}
    if file is not None:
        found["file"] = file
    return {**found, "series": series} if series else found


def is_tag(model: str | None) -> bool:
    """Whether a model is named as Ollama names models, so that its rows in several files are those of one thing."""
    return model is not None and ":" in model


_ORDER = (
    "tok/s", "prefill", "ttft", "load", "prompt_eval", "eval", "time/token", "itl", "total", "e2e", "latency",
    "words/s", "request_rate", "speedup", "efficiency",
)  # fmt: skip
_RANKS = {name: number for number, name in enumerate(_ORDER)}


def rank(metric: str) -> tuple[int, str]:
    """Where a metric stands among others in reports."""
    return (_RANKS.get(metric, len(_ORDER)), metric)


def moment(text: str | None) -> float | None:
    """A time as seconds since 1970, to be compared with others; one without a zone is taken for UTC."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()


def shown_setting(value: float | str) -> str:
    """The value of a setting as people write it: "40", "0.2"."""
    return value if isinstance(value, str) else f"{value:g}" if abs(value) < 1e6 else f"{value:.12g}"  # noqa: PLR2004  # beyond, %g has an exponent


def place_of(each: Measurement) -> Place:
    """The row of a number: what stands in one row has one model, one time and one fate.

    Where rows have no numbers, those of one series are told apart by their labels and settings.
    """
    return (each.source.file, each.series, conditions(each) if each.row is None else str(each.row))


def conditions(each: Measurement | Row) -> str:
    """Labels and settings of a number in one line: "onnx, batch_size=4"."""
    settings = [f"{name}={shown_setting(value)}" for name, value in sorted(each.parameters.items())]
    return ", ".join([text for _, text in sorted(each.labels.items())] + settings)


def _order(each: Measurement) -> tuple[str, str, int, str, str, str]:
    return (each.source.file, each.series, each.row or 0, each.source.place, each.metric, each.statistic)


def _grouped(measurements: Iterable[Measurement]) -> Iterable[Group]:
    rows: dict[tuple[Place, str | None], Row] = {}
    groups: dict[tuple[str | None, str, str], Group] = {}
    for each in measurements:
        if not is_raw(each):
            continue
        place = place_of(each)
        row = rows.get((place, each.model))
        if row is not None and each.metric in row.values:  # another row that looks the same
            place = (*place[:2], each.source.place)
            row = rows.get((place, each.model))
        if row is None:
            row = rows[place, each.model] = _row(each, place)
            key = (each.model, each.source.file, each.series)
            if key not in groups:
                groups[key] = Group(model=each.model, file=each.source.file, series=each.series)
            groups[key].rows.append(row)
        if each.ok:
            row.values.setdefault(each.metric, each)
    return groups.values()


def _row(each: Measurement, place: Place) -> Row:
    return Row(
        place=place,
        number=each.row,
        model=each.model,
        parameters=each.parameters,
        labels=each.labels,
        time=each.time,
        failure=each.failure,
        cold=each.cold,
    )
