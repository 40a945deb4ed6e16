"""Why a case failed, in words for people: what was asked to hold, what was measured in each round, on what.

Plain text of several lines, without a traceback; everything that a server or a model said in it is made printable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.errors import ChimeraError
from pytest_chimera.gate import wording
from pytest_chimera.metrics import METRICS, Metric
from pytest_chimera.units import UNKNOWN, format_seconds, format_value, ns_to_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.limits import LimitOutcome
    from pytest_chimera.records import Case, CaseResult, Round, Verdict

_DIGEST_DIGITS = 12
_ALWAYS_SHOWN = ("ttft", "tok/s", "e2e")
_MOST_UNMET = 10
"""Rounds of which it is said what their answers do not meet."""


class CaseFailed(ChimeraError):  # noqa: N818  # says what happened, as it stands in pytest's summary
    """A case did not pass; `str()` is the whole text for people."""

    result: CaseResult

    @classmethod
    def of(cls, text: str, result: CaseResult) -> CaseFailed:
        """The error that carries `text` and what was measured."""
        error = cls(text)
        error.result = result
        return error


class LimitBroken(CaseFailed):
    """Something that must hold does not, or could not be judged."""


class ExpectationBroken(CaseFailed):
    """An answer is not what was expected, and nothing says how many may be so."""


class RoundsFailed(CaseFailed):
    """More rounds failed than the case allows, or none counted."""


class WorseThanBefore(CaseFailed):
    """The gate does not let it pass: a metric is worse than in earlier runs, or could not be compared with them."""


def explain_limits(result: CaseResult, outcomes: Sequence[LimitOutcome], failing: Sequence[Verdict] = ()) -> str:
    """The text for limits that do not all hold; its first line names one of them with what was measured.

    `failing` are verdicts that would fail the case as well.
    """
    bad = [each for each in outcomes if each.state != "held"]
    ordered = [*bad, *(each for each in outcomes if each.state == "held")]
    more = f"; {len(bad)} of {len(outcomes)} limits" if len(outcomes) > 1 else ""
    lines = [f"{_not_held(bad[0])}{more}"]
    if len(outcomes) > 1:
        lines += [f"  {each}" for each in ordered]
    if not result.counted:
        lines.append(f"  No round counts: {_why_none_counts(result)}.")
    if any(each.limit.metric == "accuracy" for each in bad):
        lines += _unmet(result)
    bound = [METRICS[each.limit.metric] for each in ordered]
    lines += [f"  {printable(wording.headline(each))}" for each in failing]
    return "\n".join([*lines, "", *_rounds(result, bound), "", *_conditions(result)])


def explain_verdicts(result: CaseResult, failing: Sequence[Verdict]) -> str:
    """The text for a case that is worse than before, to be pasted into an issue: every verdict, the runs that it rests
    on, every round of this one, and what it was measured on.
    """
    more = f"; {len(failing)} of {len(result.verdicts)} comparisons" if len(result.verdicts) > 1 else ""
    lines = [f"{printable(wording.headline(failing[0]))}{more}"]
    for each in result.verdicts:
        lines.append(f"  {wording.subject(each)}: {_state(each)}")
        lines += [f"    {printable(remark)}" for remark in wording.remarks(each)]
    if any(each.metric == "accuracy" for each in failing):
        lines += _unmet(result)
    compared = [METRICS[each.metric] for each in result.verdicts]
    earlier = _earlier_runs([each for each in result.verdicts if each.baseline])
    return "\n".join([*lines, *earlier, "", *_rounds(result, compared), "", *_conditions(result)])


def _state(verdict: Verdict) -> str:
    if verdict.change is None:
        return printable(f"{verdict.outcome}: {verdict.reason}")
    change = f"{wording.percent(verdict.change)}, {wording.certainty(verdict)}"
    return f"{verdict.outcome if verdict.gated else verdict.outcome + ' (not gated)'}, {change}"


def _earlier_runs(verdicts: Sequence[Verdict]) -> list[str]:
    """A table of the baseline: a line for each run, a column for each comparison."""
    if not verdicts:
        return []
    runs = dict.fromkeys(point.run for each in verdicts for point in each.baseline)
    head = ["baseline", *(wording.subject(each) for each in verdicts), ""]
    rows = [head]
    for run in runs:
        points = [next((point for point in each.baseline if point.run == run), None) for each in verdicts]
        cells = [
            wording.value(each, point.value) if point else "-" for each, point in zip(verdicts, points, strict=True)
        ]
        rounds = next((point.rounds for point in points if point is not None), None)
        rows.append([printable(run), *cells, "" if rounds is None else _plural(rounds, "round")])
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return ["", *(_line(row, widths) for row in rows)]


def explain_unmet(result: CaseResult) -> str:
    """The text for answers that are not what was expected; its first line names one of them with what does not hold."""
    unmet = result.unmet
    first = (unmet[0].generation.unmet or ("",))[0]
    are = "answer is" if len(result.counted) == 1 else "answers are"
    lines = [f"{len(unmet)} of {len(result.counted)} {are} not as expected: {printable(first)}", *_unmet(result)]
    lines.append("  To let a case pass with a share of such answers, say how many: a limit such as 'accuracy >= 80 %'.")
    return "\n".join([*lines, "", *_rounds(result, [METRICS["accuracy"]]), "", *_conditions(result)])


def _unmet(result: CaseResult) -> list[str]:
    """What does not hold of each answer, of the first few that are not as expected."""
    shown = result.unmet[:_MOST_UNMET]
    lines = [f"  {_name(each)}: {printable(text)}" for each in shown for text in each.generation.unmet or ()]
    more = len(result.unmet) - len(shown)
    return [*lines, f"  and {_plural(more, 'more round')}"] if more else lines


def explain_failures(result: CaseResult) -> str:
    """The text for a case in which too many rounds failed; its first line names the first failure."""
    case, failed = result.case, result.failed
    made = sum(not each.warmup for each in result.rounds)
    if failed[0].warmup:
        head = "The warm-up failed, so nothing was measured"
    else:
        head = f"{len(failed)} of {_plural(made, 'round')} failed and max_failed_rounds is {case.max_failed_rounds}"
    lines = [f"{head}: {_failure(failed[0])}"]
    if len(failed) > 1:
        lines += [f"  {_name(each)}: {_failure(each)}" for each in failed]
    if result.stopped is not None and 0 < made < case.rounds:
        lines.append(f"  Stopped after {made} of {_plural(case.rounds, 'round')}; {len(result.counted)} counted.")
    return "\n".join([*lines, "", *_rounds(result, []), "", *_conditions(result)])


def printable(text: str) -> str:
    """`text` with everything that a terminal would act on written out."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _not_held(outcome: LimitOutcome) -> str:
    """One limit that is broken or unknown, as the sentence that stands in pytest's summary."""
    if outcome.state == "unknown":
        return f"{outcome.limit} cannot be judged: {outcome.reason}"
    return str(outcome).replace(": broken, ", " does not hold: ", 1)


def _plural(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _why_none_counts(result: CaseResult) -> str:
    if not result.off_start:
        return "all of them failed"
    if result.case.start == "warm":
        return "the model was loaded for each of them: use warmup=1, or start='cold' to measure just that"
    return "the model was in memory before each of them, though it was unloaded: does another client use the host?"


def _rounds(result: CaseResult, bound: Sequence[Metric]) -> list[str]:
    """A table of all rounds, a column for each metric that is bound and for those that are always of interest."""
    metrics = list(dict.fromkeys([*bound, *(METRICS[name] for name in _ALWAYS_SHOWN)]))
    head = ["round", *(metric.title for metric in metrics), ""]
    rows = [[_name(each), *(_cell(each, metric) for metric in metrics), _note(each, result)] for each in result.rounds]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return [_line(row, widths) for row in [head, *rows]]


def _line(cells: list[str], widths: list[int]) -> str:
    first, *middle, last = cells
    aligned = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(middle, widths[1:], strict=False))]
    return ("  " + "  ".join([*aligned, last])).rstrip()


def _name(each: Round) -> str:
    return f"warm-up {each.number}" if each.warmup else f"round {each.number}"


def _cell(each: Round, metric: Metric) -> str:
    values = metric.read(each.generation)
    if not values:
        return "-"
    if metric.pooled:
        return f"max {format_value(max(values), metric.dimension)} of {len(values)}"
    return format_value(values[0], metric.dimension)


def _note(each: Round, result: CaseResult) -> str:
    """Why a round does not count, or what else is special about it."""
    notes = []
    if not each.generation.ok:
        notes.append("failed")
    elif each.warmup:
        notes.append("not counted")
    elif each in result.off_start:
        notes.append("cold, not counted" if each.cold else "not cold, not counted")
    if each.busy_answers:
        notes.append(f"the server was busy {_plural(each.busy_answers, 'time')} before")
    if each.generation.ok and each.generation.client_ttft_ns is None:
        notes.append("empty answer")
    if each.generation.unmet:
        notes.append("not as expected")
    if each in result.stopped_early:
        notes.append(f"ended after {each.generation.eval_count} of {result.case.output_tokens} tokens")
    if result.prompt_fit(each.generation) == "cut":
        notes.append("its prompt was cut")
    return ", ".join(notes)


def _failure(each: Round) -> str:
    failure = each.generation.failure
    assert failure is not None, "asked of failed rounds only"
    status = f" {failure.status}" if failure.status is not None else ""
    kept = len(each.generation.chunks)
    partial = f" ({kept} chunks had arrived and are kept)" if kept else ""
    return f"{failure.kind}{status} ({failure.cause}): {printable(failure.message)}{partial}"


def _conditions(result: CaseResult) -> list[str]:
    """Model, host, options and case: what one needs to measure it again."""
    case = result.case
    lines = [("model", _model(result)), ("host", _host(result)), ("options", _options(case))]
    if result.loaded is not None:
        lines.append(("loaded", _loaded(result)))
    lines.append(("case", _case(case)))
    return [f"  {name.ljust(7)}  {printable(text)}" for name, text in lines]


def _model(result: CaseResult) -> str:
    model = result.case.model
    digest = f"digest {model.digest.removeprefix('sha256:')[:_DIGEST_DIGITS]}" if model.digest else "digest unknown"
    return ", ".join([model.name, digest, *(each for each in (model.parameter_size, model.quantization) if each)])


def _host(result: CaseResult) -> str:
    host = result.host
    server = {"ollama": "Ollama", "embedded": "the embedded engine"}[host.engine]
    waited = f", waited {format_seconds(ns_to_s(result.waited_ns))} for its turn" if result.waited_ns else ""
    return f"{host.url}, {server} {host.version or UNKNOWN}{waited}"


def _options(case: Case) -> str:
    options = [
        f"{name}={value!r}" + ("" if name in case.options_set else " (default)") for name, value in case.options.items()
    ]
    return ", ".join([*options, f"think={'default' if case.think is None else case.think}"])


def _loaded(result: CaseResult) -> str:
    loaded = result.loaded
    assert loaded is not None, "asked only where it is known"
    share = format_value(loaded.gpu_share, "ratio") if loaded.gpu_share is not None else UNKNOWN
    window = UNKNOWN if loaded.context_length is None else str(loaded.context_length)
    return f"num_ctx {window}, share on the GPU {share}"


def _case(case: Case) -> str:
    parts = [case.name, _plural(case.rounds, "round"), f"{case.warmup} warm-up", f"start {case.start}"]
    parts.append(f"prefix {case.prefix}")
    if case.persona is not None:
        parts.append(f"persona {case.persona}")
    return ", ".join([*parts, f"prompt {case.prompt_hash[:_DIGEST_DIGITS]}"])
