"""One check of one text: everything that the judges share, and how a number is prepared for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_chimera.records import Fact
from pytest_chimera.report.claims.case import Case
from pytest_chimera.report.claims.evidence import FACTS, Evidence, bits
from pytest_chimera.report.claims.meaning import Sense, dimension_of, sense_of
from pytest_chimera.report.claims.numbers import Number, numbers_in
from pytest_chimera.report.claims.readings import Readings
from pytest_chimera.report.claims.scope import Scope, Scoper
from pytest_chimera.report.claims.sources import Chosen, Sources
from pytest_chimera.report.claims.values import LOADED, Value, Values
from pytest_chimera.report.claims.words import scales_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.report.claims.text import Piece, Reader
    from pytest_chimera.units import Dimension

MAX_NUMBERS = 5_000
"""Numbers of one text that are looked at; the rest is not judged, and one claim says so."""


class Inquiry:
    """What the judges of one text share."""

    def __init__(self, evidence: Evidence, reader: Reader, pieces: Sequence[Piece], document: str | None) -> None:
        self.evidence = evidence
        self.reader = reader
        self.pieces = pieces
        self.scoper = Scoper(evidence, reader, document)
        self.sources = Sources(evidence, reader, document)
        self.values = Values(evidence)
        self.readings = Readings(evidence, self.values)
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
            names = [(each.start, each.end) for each in self.scoper.mentions(piece.text)]
            for number in numbers_in(piece, self.scoper.stated.settings_of(piece)):
                if any(start < number.start and number.end <= end for start, end in names):
                    continue  # "3.3" of "Granite 3.3 2B"
                count += 1
                if count > MAX_NUMBERS:
                    self.cut_at = piece.line
                    return
                yield self._case(number)

    def _case(self, number: Number) -> Case:
        sense = sense_of(number, self.evidence.dimensions)
        if sense.metrics == ("speedup",) and "speedup" not in self.evidence.dimensions:
            sense = replace(sense, sort="comparison")
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
        own = {name for name, statistic in self.evidence.held if statistic == sense.statistic}
        fitting = {name for name in own if self.evidence.dimensions[name] == sense.unit.kind}
        return tuple(sorted(fitting - {"ttft", "load"}))

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
            if chosen is None:
                continue
            if case.scope.wide != -1 and self.evidence.having(chosen.mask & case.scope.wide, metric):
                chosen = chosen._replace(mask=chosen.mask & case.scope.wide)
                settings = tuple(dict.fromkeys([*case.scope.settings, *case.scope.further]))
                case.scope = case.scope._replace(settings=settings, record=True)
            case.metric, case.chosen = metric, chosen
            condition = case.sense.condition
            if condition and metric not in LOADED and not self.values.of(chosen.mask, metric, "mean", condition):
                case.sense = replace(case.sense, condition=None)  # "warm" says nothing of a rate without cold rows
            case.scales = self.scales(case.sense, metric)
            case.record = self.readings.is_record(case)
            case.defaults = self.readings.defaults(case)
            return

    def choose(self, case: Case, mask: int, metric: str) -> Chosen | None:
        """The files in which runs have a metric; telemetry that names no model counts when it lies near."""
        number = case.number
        layers = self.layers(number)
        good = mask & ~self.evidence.failed
        found = self.sources.choose(good, metric, number.piece.section.number, layers)
        found = found or self.sources.choose(mask, metric, number.piece.section.number, layers)
        if self.evidence.roles.get(metric) != "resource" or (found is not None and case.scope.model):
            return found
        if found is None and case.scope.model:
            loose = self._telemetry_of(mask, metric)
            found = self.sources.choose(loose, metric, number.piece.section.number, layers)
        far = found is not None and found.tier in {"any", "words"} and self.sources.matched is not None
        return None if far else found

    def _telemetry_of(self, mask: int, metric: str) -> int:
        """The runs that name no model and lie in a folder with runs of these models, or with none of any."""
        evidence, found = self.evidence, 0
        for number in bits(evidence.having(evidence.everything & ~evidence.modelled, metric)):
            for file in evidence.runs[number].files:
                near = evidence.by_folder.get(file.rpartition("/")[0], 0) & evidence.modelled
                if near & mask or not near:
                    found |= 1 << number
        return found

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
