"""One check of one text: everything that the judges share, and how a number is prepared for them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.records import Fact
from pytest_chimera.report.claims.evidence import FACTS, Evidence, bits
from pytest_chimera.report.claims.match import agreement, chance_of, ends_agree, exact_ends
from pytest_chimera.report.claims.meaning import Sense, dimension_of, sense_of
from pytest_chimera.report.claims.numbers import Number, numbers_in
from pytest_chimera.report.claims.scope import Scope, Scoper
from pytest_chimera.report.claims.sources import Chosen, Sources
from pytest_chimera.report.claims.values import LOADED, Value, Values
from pytest_chimera.report.claims.words import scales_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.report.claims.match import Agreement
    from pytest_chimera.report.claims.text import Piece, Reader
    from pytest_chimera.units import Dimension

_EVERY = re.compile(r"\b(?:all|every|each|always|never|consistent\w*|stays?|stayed|remain\w*)\b", re.IGNORECASE)
MAX_NUMBERS = 20_000
"""Numbers of one text that are looked at; the rest is not judged, and one claim says so."""


class Reading(NamedTuple):
    """One way to read a number: values of which each (a group: all of it) must agree with it."""

    statistic: str
    condition: str | None
    groups: tuple[tuple[Value, ...], ...]

    @property
    def text(self) -> str:
        """For people: "mean, warm rows"."""
        return f"{self.statistic} of {self.condition} rows" if self.condition else f"{self.statistic} of all rows"


@dataclass(slots=True)
class Case:
    """One number with all that was understood of it."""

    number: Number
    sense: Sense
    scope: Scope
    metric: str = ""
    """The one of its metrics that there are data for."""
    chosen: Chosen | None = None
    defaults: tuple[Reading, ...] = ()
    bases: frozenset[str] | None = None
    """When its row decided on a basis."""
    operand: bool = False
    scales: tuple[float, ...] = (1.0,)
    record: bool = field(default=False)
    """Whether it is judged against single runs."""


class Inquiry:
    """What the judges of one text share."""

    def __init__(self, evidence: Evidence, reader: Reader, pieces: Sequence[Piece], document: str | None) -> None:
        self.evidence = evidence
        self.reader = reader
        self.pieces = pieces
        self.scoper = Scoper(evidence, reader, document)
        self.sources = Sources(evidence, reader, document)
        self.values = Values(evidence)
        self.cut_at: int | None = None
        self.rows = self.union(
            1 << number for number, run in enumerate(evidence.runs) if run.row is not None and not run.aggregate
        )  # fmt: skip
        self.aggregates = self.union(1 << number for number, run in enumerate(evidence.runs) if run.aggregate)
        self.cases = list(self._cases())
        self._by_piece: dict[int, list[Case]] = {}
        self._by_row: dict[tuple[int, int], list[Case]] = {}
        for case in self.cases:
            piece = case.number.piece
            self._by_piece.setdefault(id(piece), []).append(case)
            if piece.table is not None:
                self._by_row.setdefault((piece.table.number, piece.row), []).append(case)

    @staticmethod
    def union(masks: Iterable[int]) -> int:
        """The runs of any of some sets."""
        total = 0
        for mask in masks:
            total |= mask
        return total

    def in_piece(self, piece: Piece) -> list[Case]:
        """The numbers of a piece, in order."""
        return self._by_piece.get(id(piece), [])

    def in_row(self, piece: Piece) -> list[Case]:
        """The numbers of the row of a table that a cell stands in, in order."""
        return self._by_row.get((piece.table.number, piece.row), []) if piece.table else []

    def _cases(self) -> Iterable[Case]:
        count = 0
        for piece in self.pieces:
            if not any(sign.isdigit() for sign in piece.text):
                continue
            for number in numbers_in(piece, self.scoper.settings_of(piece)):
                count += 1
                if count > MAX_NUMBERS:
                    self.cut_at = piece.line
                    return
                yield self._case(number)

    def _case(self, number: Number) -> Case:
        sense = sense_of(number, self.evidence.dimensions)
        if sense.sort == "value" and not sense.metrics:
            sense = replace(sense, metrics=self._nameless(sense))
        if sense.sort == "none":
            return Case(number, sense, Scope(0, (), (), model=False, record=False))
        scope = self.scoper.scope(number, sense.metrics)
        case = Case(number, sense, scope)
        if sense.sort == "value":
            self.look_up(case)
        return case

    def _nameless(self, sense: Sense) -> tuple[str, ...]:
        """The metrics of a column that names only a statistic and a unit: "Mean (ms)"."""
        if sense.unit is None or sense.statistic is None:
            return ()
        held = {key for run in self.evidence.runs for key in run.values if key[1] == sense.statistic}
        kind = sense.unit.kind
        return tuple(
            sorted(
                metric
                for metric, _ in held
                if self.evidence.dimensions[metric] == kind and metric not in {"ttft", "load"}
            )
        )

    def look_up_again(self) -> None:
        """Find the files of every plain value anew, now that those that match the text are known."""
        for case in self.cases:
            if case.sense.sort == "value":
                case.chosen, case.defaults = None, ()
                self.look_up(case)

    def look_up(self, case: Case) -> None:
        """Find the files for a plain value, and read it."""
        for metric in case.sense.metrics:
            chosen = self.choose(case, case.scope.mask, metric)
            if chosen is not None:
                if case.scope.wide != -1 and self.evidence.having(chosen.mask & case.scope.wide, metric):
                    chosen = chosen._replace(mask=chosen.mask & case.scope.wide)
                    settings = tuple(dict.fromkeys([*case.scope.settings, *case.scope.further]))
                    case.scope = case.scope._replace(settings=settings, record=True)
                case.metric, case.chosen = metric, chosen
                if (
                    case.sense.condition
                    and metric not in LOADED
                    and not self.values.of(chosen.mask, metric, "mean", case.sense.condition)
                ):
                    case.sense = replace(
                        case.sense, condition=None
                    )  # a rate is stated of warm rows only where cold ones are known
                case.scales = self.scales(case.sense, metric)
                case.record = self._is_record(case)
                case.defaults = self.readings(case)
                return

    def choose(self, case: Case, mask: int, metric: str) -> Chosen | None:
        """The files in which runs have a metric; telemetry that names no model counts when it lies near."""
        number = case.number
        layers = self.layers(number)
        good = mask & ~self.evidence.failed
        found = self.sources.choose(good, metric, number.piece.section.number, layers)
        found = found or self.sources.choose(mask, metric, number.piece.section.number, layers)
        if found is None and case.scope.model and self._is_resource(metric):
            loose = self._telemetry_of(mask, metric)
            found = self.sources.choose(loose, metric, number.piece.section.number, layers)
            if found is not None and found.tier in {"any", "words"} and self.sources.matched is not None:
                return None
        elif found is not None and not case.scope.model and self._is_resource(metric):
            if found.tier in {"any", "words"} and self.sources.matched is not None:
                return None
        return found

    def _telemetry_of(self, mask: int, metric: str) -> int:
        """The runs that name no model and lie in a folder with runs of these models, or with none of any."""
        evidence, found = self.evidence, 0
        for number in bits(evidence.having(evidence.everything & ~evidence.modelled, metric)):
            for file in evidence.runs[number].files:
                near = evidence.by_folder.get(file.rpartition("/")[0], 0) & evidence.modelled
                if near & mask or not near:
                    found |= 1 << number
        return found

    def _is_resource(self, metric: str) -> bool:
        run = next((self.evidence.runs[number] for number in bits(self.evidence.by_metric.get(metric, 0))), None)
        return run is not None and any(
            each.role == "resource" for (name, _), each in run.values.items() if name == metric
        )

    def layers(self, number: Number) -> list[str]:
        """Texts whose words may be those of a file's name, the nearest first."""
        piece = number.piece
        own = [piece.text] if piece.kind != "cell" else [piece.header]
        return [*own, *reversed(piece.leads), *reversed(piece.section.headings)]

    def scales(self, sense: Sense, metric: str) -> tuple[float, ...]:
        """What one of the number's units may be in SI."""
        if sense.unit is not None and sense.unit.kind not in {"characters", "words", "tokens"}:
            return scales_of(sense.unit)
        dimension = dimension_of(metric, self.evidence.dimensions)
        return {"time": (1.0, 1e-3), "ratio": (1.0, 0.01)}.get(dimension, (1.0,))

    def _is_record(self, case: Case) -> bool:
        """Whether the row of a table is one run, though nothing says which."""
        piece = case.number.piece
        if (
            piece.table is None
            or case.chosen is None
            or case.sense.statistic not in {None, "best"}
            or case.scope.record
        ):
            return False
        head = piece.table.header[0].lower().strip(" #") if piece.table.header else ""
        per_run = head.startswith(
            ("prompt", "run", "case", "sample", "task", "query", "question", "iteration", "round", "scenario", "test")
        )
        return per_run and len(list(bits(case.chosen.mask))) > 1

    def readings(self, case: Case) -> tuple[Reading, ...]:
        """The readings under which a number holds without a further word."""
        assert case.chosen is not None, "only asked when there are data"
        mask, metric, sense = case.chosen.mask, case.metric, case.sense
        if case.record:
            values = (self.values.run(number, metric) for number in bits(mask & ~self.evidence.failed))
            return (Reading("value", sense.condition, tuple((value,) for value in values if value is not None)),)
        if case.chosen.tier == "facts":
            return self._of_facts(case)
        number, statistic = case.number, sense.statistic
        if statistic is None and number.low is not None:
            return (self._spread(mask, metric, sense.condition),)
        if statistic is None and number.hedge in {"over", "under", "lost"}:
            return (self.reading(mask, metric, "min" if number.hedge == "over" else "max", sense.condition),)
        names = {None: ("mean",), "best": ("best",), "max": ("max",)}.get(statistic, (statistic or "mean",))
        if statistic == "best" and self._best_of_several(number):
            names = ("best", "mean")
        return tuple(self.reading(mask, metric, name, sense.condition) for name in names)

    def _best_of_several(self, number: Number) -> bool:
        """Whether "best ... with X" ranks entities by their means rather than runs by their values."""
        before = number.piece.text[: number.start].lower()
        return any(f" {word} " in before for word in ("with", "by", "using", "from")) and not number.piece.table

    def _of_facts(self, case: Case) -> tuple[Reading, ...]:
        assert case.chosen is not None, "only asked when there are facts"
        mask, metric = case.chosen.mask, case.metric
        held = sorted(
            {name for number in bits(mask) for (own, name) in self.evidence.runs[number].values if own == metric}
        )
        wanted = [name for name in held if case.sense.statistic in {None, name}] or held
        return tuple(self.reading(mask, metric, name, None) for name in wanted)

    def reading(self, mask: int, metric: str, statistic: str, condition: str | None) -> Reading:
        """The values of one statistic under one condition."""
        return Reading(
            statistic, condition, tuple((value,) for value in self.values.of(mask, metric, statistic, condition))
        )

    def _spread(self, mask: int, metric: str, condition: str | None) -> Reading:
        """All values of each file, by their smallest and largest."""
        high = {value.basis: value for value in self.values.of(mask, metric, "max", condition)}
        low = self.values.of(mask, metric, "min", condition)
        groups = tuple((value, high[value.basis]) for value in low if value.basis in high)
        return Reading("range", condition, groups)

    def alternatives(self, case: Case) -> list[Reading]:
        """Readings under which a number holds only with a further word."""
        if case.chosen is None or case.record or case.chosen.tier == "facts":
            return []
        sense, mask, metric = case.sense, case.chosen.mask, case.metric
        statistics = [sense.statistic or ("max" if case.number.hedge == "under" else "mean")]
        if sense.statistic == "best":
            statistics.append("mean")
        found: list[Reading] = []
        if sense.condition is None and metric in LOADED:
            for condition in ("warm", "cold"):
                if case.number.low is not None and sense.statistic is None:
                    found.append(self._spread(mask, metric, condition))
                else:
                    found += [self.reading(mask, metric, name, condition) for name in statistics]
        loose = case.number.low is not None or case.number.hedge in {"over", "under", "lost"}
        if sense.statistic is None and loose and not _EVERY.search(case.number.piece.text):
            found.append(self.reading(mask, metric, "mean", sense.condition))
        if sense.statistic is None and not loose and not case.number.hedge:
            found += [self.reading(mask, metric, name, sense.condition) for name in ("median", "best")]
        if sense.statistic == "best":
            found.append(self.reading(mask, metric, "mean", sense.condition))
        return found

    def agreeing(self, case: Case, reading: Reading) -> tuple[Agreement, tuple[Value, ...] | None]:
        """How a number agrees with a reading, and the group of values that agrees best."""
        best: tuple[Agreement, tuple[Value, ...] | None] = ("no", None)
        for group in self.groups(case, reading):
            for scale in case.scales:
                parts = [agreement(case.number, value.value / scale) for value in group]
                if len(group) == 2 and exact_ends(case.number):  # noqa: PLR2004  # the smallest and the largest
                    parts = ["yes" if ends_agree(case.number, *(value.value / scale for value in group)) else "no"]
                if all(part == "yes" for part in parts):
                    return "yes", group
                if all(part != "no" for part in parts) and best[0] == "no":
                    best = ("near", group)
        return best

    def groups(self, case: Case, reading: Reading) -> list[tuple[Value, ...]]:
        """The groups of a reading, of the basis that the row of the number decided on."""
        if case.bases is None:
            return list(reading.groups)
        on_basis = [group for group in reading.groups if group[0].basis in case.bases]
        return on_basis or list(reading.groups)

    def chance(self, case: Case, readings: Sequence[Reading]) -> float:
        """The share of random numbers in the place of this one that would be supported by these readings."""
        values = [
            value.value / scale
            for reading in readings for group in self.groups(case, reading) for value in group for scale in case.scales
        ]  # fmt: skip
        return chance_of(case.number, values)

    def fact(self, value: Value, case: Case) -> Fact:
        """A value as a fact, with its sources."""
        if value.files and value.files[0] == FACTS:
            place = self.values.sources(value)
            known = next((fact for fact in self.evidence.facts if any(fact.id in each for each in place)), None)
            if known is not None:
                return known
        subject = {"model": value.model or "", "file": value.files[0] if value.files else ""}
        scope = ", ".join((*case.scope.names, *case.scope.settings))
        statistic = f"{value.statistic} of {value.condition} rows" if value.condition else value.statistic
        return Fact(
            subject={key: text for key, text in {**subject, "scope": scope}.items() if text},
            metric=value.metric, statistic=statistic, value=value.value, dimension=self.dimension(value.metric),
            n=value.n, formula=f"{statistic} of {value.metric} over {value.n} rows", sources=self.values.sources(value),
        )  # fmt: skip

    def dimension(self, metric: str) -> Dimension:
        """The dimension of a metric that the data hold."""
        return self.evidence.dimensions.get(metric, "ratio")
