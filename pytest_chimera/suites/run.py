"""What `chimera(...)` gives back: the answers, and a small statistic per metric to assert on.

All numbers come from the counted rounds by the one table of metrics; nothing is computed here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, overload

from pytest_chimera.errors import ChimeraError
from pytest_chimera.metrics import METRICS, find_metric, result_statistic
from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_chimera.records import Case, CaseResult, Generation, ModelInfo, Verdict
    from pytest_chimera.stats import Statistic

_SHOWN_TEXT = 60


class AnswerError(ChimeraError, ValueError):
    """The answer is not what the test wants to read it as."""


class _OfMetric:
    """The statistic of one metric as an attribute of `Run`."""

    def __init__(self, metric: str) -> None:
        self.metric = METRICS[metric]
        self.__doc__ = f"{self.metric.title} = {self.metric.formula}, over the counted rounds."

    @overload
    def __get__(self, run: None, owner: type[Run]) -> _OfMetric: ...
    @overload
    def __get__(self, run: Run, owner: type[Run]) -> Statistic: ...
    def __get__(self, run: Run | None, owner: type[Run]) -> _OfMetric | Statistic:
        return self if run is None else result_statistic(self.metric, run.result)


class Run:
    """One measured case: `run.text`, `run.tok_s.median`, `run.ttft.p95`, `run.json()`."""

    def __init__(self, result: CaseResult) -> None:
        """`result` is the whole record, which is also what gets saved."""
        self.result = result

    ttft = _OfMetric("ttft")
    answer = _OfMetric("answer")
    prompt_eval = _OfMetric("prompt_eval")
    prefill = _OfMetric("prefill")
    eval = _OfMetric("eval")
    tok_s = _OfMetric("tok/s")
    steps_s = _OfMetric("steps/s")
    time_per_token = _OfMetric("time/token")
    itl = _OfMetric("itl")
    load = _OfMetric("load")
    wait = _OfMetric("wait")
    total = _OfMetric("total")
    e2e = _OfMetric("e2e")
    server_ttft = _OfMetric("server_ttft")
    transport = _OfMetric("transport")
    stalls = _OfMetric("stalls")
    prompt_tokens = _OfMetric("prompt_tokens")
    output_tokens = _OfMetric("output_tokens")
    groundedness = _OfMetric("groundedness")
    accuracy = _OfMetric("accuracy")

    def __getitem__(self, metric: str) -> Statistic:
        """The statistic of a metric by any of its names, `run["tok/s"]`; raises LimitError with the known names."""
        return result_statistic(find_metric(metric), self.result)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What the gate says of it, one for each metric that it was compared by."""
        return self.result.verdicts

    @property
    def case(self) -> Case:
        """What was asked, as sent."""
        return self.result.case

    @property
    def point(self) -> Mapping[str, Any]:
        """Of a point of a sweep: its parameters; empty of a case by itself."""
        return self.result.case.point

    @property
    def model(self) -> ModelInfo:
        """The model that answered."""
        return self.result.case.model

    @property
    def generations(self) -> tuple[Generation, ...]:
        """The requests of the counted rounds, in order."""
        return tuple(each.generation for each in self.result.counted)

    @property
    def text(self) -> str:
        """The answer of the last round that went well, without any thinking."""
        last = self._last()
        return last.text if last else ""

    @property
    def thinking(self) -> str:
        """The thinking of the same round."""
        last = self._last()
        return last.thinking if last else ""

    @property
    def tool_calls(self) -> tuple[dict[str, Any], ...]:
        """The tool calls of the same round."""
        last = self._last()
        return last.tool_calls if last else ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The answers of the counted rounds, in order."""
        return tuple(each.text for each in self.generations)

    def json(self) -> Any:
        """`text` read as JSON; raises AnswerError when it is none."""
        try:
            return json.loads(self.text)
        except ValueError as error:
            last = self._last()
            if last is not None and last.done_reason == "length":
                advice = "It was cut at num_predict or num_ctx tokens: raise them."
            elif self.case.format is None:
                advice = "Ask for JSON with format='json' or a schema."
            else:
                advice = "The model did not keep to the format that was asked for."
            raise AnswerError(f"The answer is not JSON ({error}): {_short(self.text)!r}.", "", advice) from None

    def __repr__(self) -> str:
        """What an assertion that failed should show."""
        result = self.result
        speed = f"TTFT {format_value(self.ttft.median, 'time')}, {format_value(self.tok_s.median, 'rate')}"
        counted = f"{len(result.counted)} of {result.case.rounds} rounds"
        return f"<Run {result.case.name} on {self.model.name}: {counted}, {speed}, {_short(self.text)!r}>"

    def _last(self) -> Generation | None:
        rounds = [each for each in self.result.rounds if each.counts]
        return rounds[-1].generation if rounds else None


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_TEXT else f"{text[:_SHOWN_TEXT]}..."
