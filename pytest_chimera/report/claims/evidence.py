"""The data that a text is checked against, in a form that can be asked: runs, names, settings, files."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pytest_chimera.report.claims.names import Names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_chimera.records import Artifact, Fact, Measurement, Role
    from pytest_chimera.units import Dimension

_CLOSE = 1e-6
_MAX_LABELS = 5_000
"""Different values of one label that become names."""
_MARKDOWN = (".md", ".markdown", ".txt")

FACTS = "the facts"
"""The file that facts of a report stand in."""


class Run:
    """Numbers that stand together: one round, one row, one object."""

    __slots__ = (
        "aggregate",
        "cold",
        "failure",
        "files",
        "labels",
        "model",
        "parameters",
        "row",
        "series",
        "time",
        "values",
    )

    def __init__(self, first: Measurement) -> None:
        self.files: tuple[str, ...] = (first.source.file,)
        self.series = first.series
        self.row = first.row
        self.model = first.model
        self.parameters: Mapping[str, float | str] = first.parameters
        self.labels: Mapping[str, str] = first.labels
        self.failure = first.failure
        self.cold = first.cold
        self.time = first.time
        self.aggregate = True
        self.values: dict[tuple[str, str], Measurement] = {}

    @classmethod
    def of(cls, measurement: Measurement) -> Run:
        """A run of one number."""
        run = cls(measurement)
        run.add(measurement)
        return run

    def value(self, metric: str, statistic: str = "value") -> float | None:
        """Its value of a metric in the SI unit; None when it failed or has none."""
        found = self.values.get((metric, statistic))
        return found.value if found is not None and found.ok else None

    def add(self, measurement: Measurement) -> None:
        """One more number of the same place."""
        self.values[measurement.metric, measurement.statistic] = measurement
        self.aggregate = self.aggregate and measurement.provenance == "aggregate"
        copies = (copy.file for copy in measurement.copies if not copy.file.endswith(_MARKDOWN))  # a text repeats
        self.files = tuple(dict.fromkeys([*self.files, *copies]))
        if measurement.cold is not None:
            self.cold = measurement.cold


def bits(mask: int) -> Iterable[int]:
    """The numbers of the bits that are set, from below."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class Evidence:
    """An index over measurements and facts, built once and asked for every claim."""

    def __init__(self, runs: Sequence[Run], paths: Iterable[str], facts: Sequence[Fact]) -> None:
        self.runs = tuple(runs)
        self.facts = tuple(facts)
        self.paths = frozenset(paths)
        """Every file that is known to exist, with or without numbers."""
        self.everything = (1 << len(self.runs)) - 1
        self.names = Names()
        self.texts: list[tuple[str, str, int]] = []
        """Labels too long for names: key, value, runs."""
        self.by_file: dict[str, int] = defaultdict(int)
        self.by_folder: dict[str, int] = defaultdict(int)
        self.by_metric: dict[str, int] = defaultdict(int)
        self.settings: dict[str, dict[float, int]] = defaultdict(lambda: defaultdict(int))
        self.dimensions: dict[str, Dimension] = {}
        self.roles: dict[str, Role] = {}
        self.held: set[tuple[str, str]] = set()
        """Every metric with every statistic that some run holds."""
        self.models: dict[str, int] = defaultdict(int)
        self.labels: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.failed = self.cold = self.warm = self.modelled = self.conditioned = 0
        self._index()
        self.setting_names = tuple(sorted(self.settings, key=len, reverse=True))

    @classmethod
    def of(
        cls, measurements: Sequence[Measurement], others: Sequence[Measurement] = (),
        artifacts: Sequence[Artifact] = (), facts: Sequence[Fact] = (),
    ) -> Evidence:  # fmt: skip
        """From what a corpus holds; numbers that a text only claims are no evidence and are left out."""
        runs: dict[tuple[object, ...], Run] = {}
        done: list[Run] = []
        for each in (*measurements, *others):
            if each.provenance == "claim":
                continue
            key = (each.source.file, each.series, each.row, each.model, _place_of_row(each), *_frozen(each))
            run = runs.get(key)
            if run is None or (each.metric, each.statistic) in run.values:
                run = runs[key] = Run(each)
                done.append(run)
            run.add(each)
        done += [_run_of_fact(fact) for fact in facts if fact.value is not None]
        return cls(done, (each.path for each in artifacts), facts)

    def _index(self) -> None:
        for number, run in enumerate(self.runs):
            bit = 1 << number
            for file in run.files:
                self.by_file[file] |= bit
                self.by_folder[file.rpartition("/")[0]] |= bit
            self.held.update(run.values)
            for (metric, _), each in run.values.items():
                if each.value is not None or each.failure is not None:
                    self.by_metric[metric] |= bit
                self.dimensions[metric] = each.dimension
                self.roles[metric] = each.role
            self.models[run.model or ""] |= bit
            self._index_conditions(run, bit)
            self.conditioned |= bit if run.parameters else 0
            self.failed |= bit if run.failure is not None else 0
            self.cold |= bit if run.cold else 0
            self.warm |= bit if run.cold is False else 0
        self.models.pop("", None)
        self.modelled = _union(self.models.values())
        self.names.add_models(self.models)
        for key, values in self.labels.items():
            for text, mask in list(values.items())[:_MAX_LABELS]:
                if not self.names.add_label(key, text, mask) or key == "prompt":
                    self.texts.append((key, text, mask))
        self.paths |= frozenset(self.by_file)

    def _index_conditions(self, run: Run, bit: int) -> None:
        for key, text in run.labels.items():
            self.labels[key][text] |= bit
        for key, value in run.parameters.items():
            if isinstance(value, str):
                self.labels[key][value] |= bit
            else:
                self.settings[key][round(float(value), 6)] |= bit

    def bare(self, mask: int) -> int:
        """Of some facts those under no condition and no setting, where there are such."""
        return mask & ~(self.cold | self.warm | self.conditioned) or mask

    def having(self, mask: int, metric: str) -> int:
        """Of some runs those that have a metric, failed ones included."""
        return mask & self.by_metric.get(metric, 0)

    def with_setting(self, name: str, low: float, high: float | None = None) -> int:
        """The runs with a setting of this value, or between two values."""
        top = low if high is None else high
        return _union(
            mask for value, mask in self.settings.get(name, {}).items()
            if low - abs(low) * _CLOSE - _CLOSE <= value <= top + abs(top) * _CLOSE + _CLOSE
        )  # fmt: skip

    def like(self, text: str, within: int) -> int:
        """The runs whose long label, a prompt, says in other words what `text` says; 0 when none or several do."""
        words = _stems(text)
        best: list[tuple[float, int]] = []
        for _, label, mask in self.texts:
            common = sum(1 for word in words if any(_alike(word, other) for other in _stems(label)))
            if common and mask & within:
                best.append((common / max(1, len(words)), mask & within))
        top = max((score for score, _ in best), default=0.0)
        winners = [mask for score, mask in best if score == top]
        enough = top >= 0.34  # noqa: PLR2004  # one word of a label of two or three
        return winners[0] if enough and len(winners) == 1 else 0

    def names_file(self, path: str) -> bool:
        """Whether a file is known."""
        return path in self.paths


def _union(masks: Iterable[int]) -> int:
    total = 0
    for mask in masks:
        total |= mask
    return total


def _frozen(each: Measurement) -> tuple[object, ...]:
    return (
        tuple(sorted((key, str(value)) for key, value in each.parameters.items())),
        tuple(sorted(each.labels.items())),
    )


def _place_of_row(each: Measurement) -> str:
    """The part of a place that numbers of one row share."""
    place = each.source.place
    if each.row is not None:
        return ""
    return place.rpartition("/")[0] if place.startswith("/") else place.rpartition(" ")[0]


_NO_LABELS = frozenset({"model", "file", "series", "rows", "setting", "level", "as"})
"""Parts of a fact's subject that are no names."""


def _run_of_fact(fact: Fact) -> Run:
    """A fact as a run of its own, under the condition and the setting that its subject names."""
    from pytest_chimera.records import Measurement, Source  # noqa: PLC0415  # only where facts are given

    subject = fact.subject
    statistic, _, condition = fact.statistic.partition(" of ")
    condition = condition if condition in {"cold", "warm"} else subject.get("rows", "")
    level = subject.get("level", "")
    parameters: dict[str, float | str] = {}
    if "setting" in subject:
        parameters[subject["setting"]] = float(level) if re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", level) else level
    return Run.of(
        Measurement(
            metric=fact.metric, value=fact.value, dimension=fact.dimension, n=fact.n, provenance="aggregate",
            statistic=statistic if condition else fact.statistic, model=subject.get("model"), parameters=parameters,
            labels={key: value for key, value in subject.items() if key not in _NO_LABELS},
            cold={"cold": True, "warm": False}.get(condition), series=subject.get("file", ""),
            source=Source(FACTS, fact.id),
        )
    )  # fmt: skip


_NO_STEMS = frozenset(
    {
        "prompt", "prompts", "with", "that", "this", "from", "test", "after", "before", "the", "and", "for", "its",
        "was", "has", "had", "our", "one", "per", "each", "every", "first", "same", "all",
    }
)  # fmt: skip


def _stems(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z]{3,}", text.lower()) if word not in _NO_STEMS]


def _alike(word: str, other: str) -> bool:
    """Whether two words share their stem: "failure" and "failed"."""
    shared = 0
    for left, right in zip(word, other, strict=False):
        if left != right:
            break
        shared += 1
    return shared >= min(4, len(word), len(other)) and shared >= max(len(word), len(other)) - 6  # a stem and an ending


def stem_of(path: str) -> str:
    """The name of a file without folder and ending."""
    return PurePosixPath(path).stem
