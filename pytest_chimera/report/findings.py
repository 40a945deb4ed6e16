"""Key findings, computed: what stands out among the facts, each kind once, also when there is nothing to say.

No finding but those of the comparison with earlier runs claims that a difference is more than noise: one session cannot
show that.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from pytest_chimera.metrics import find_metric
from pytest_chimera.report.arms import arm_lines
from pytest_chimera.report.comparison import comparison_lines
from pytest_chimera.report.document import Label, Line, Number, joined
from pytest_chimera.report.facts import case_name, numbers_of

if TYPE_CHECKING:
    from pytest_chimera.records import CaseResult, Fact, Round
    from pytest_chimera.report.facts import FactBook, Measured

Kind = Literal[
    "comparison",
    "arms",
    "speed",
    "first token",
    "cold starts",
    "failures",
    "expectations",
    "prompts",
    "stalls",
    "waiting",
    "answers",
    "incomplete",
]


_LONGEST_REASON = 400
"""Characters of an error that a finding repeats: some servers answer with a page."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding."""

    kind: Kind
    line: Line
    """Starts with its subject, such as "Fastest"."""
    notable: bool = True
    """Whether there is something to see; False of "No round failed." and the like."""

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts it rests on."""
        return tuple(span.fact for span in self.line if isinstance(span, Number))


def findings(measured: Measured, book: FactBook) -> tuple[Finding, ...]:
    """Everything that stands out, in a fixed order."""
    return (
        *(Finding("comparison", line, notable) for line, notable in comparison_lines(measured, book)),
        *(Finding("arms", line, notable) for line, notable in arm_lines(measured, book)),
        *_extremes(measured, book, "speed", "tok/s"),
        *_extremes(measured, book, "first token", "ttft"),
        _cold_starts(measured, book),
        *_failures(measured, book),
        *_unmet(measured, book),
        *_prompts(measured, book),
        _stalls(measured, book),
        *_waiting(measured, book),
        *_answers(measured, book),
        *_incomplete(measured, book),
    )


def who(result: CaseResult) -> Line:
    """A case and its model, as sentences name them."""
    return Label(case_name(result)), " on ", Label(result.case.model.name)


def _extremes(measured: Measured, book: FactBook, kind: Kind, name: str) -> list[Finding]:
    """The best and the worst median of a metric."""
    metric = find_metric(name)
    known = [
        (fact.value, result, fact)
        for result, subject in measured
        if (fact := book.get(subject, name, "median")).value is not None
    ]
    if not known:
        return [Finding(kind, (f"No {metric.title} is known: no counted round has one.",))]
    ordered = sorted(known, key=lambda each: each[0], reverse=metric.better == "higher")
    words = ("Fastest", "Slowest") if kind == "speed" else ("Soonest first token", "Latest first token")
    if len(ordered) == 1:
        _, result, fact = ordered[0]
        return [Finding(kind, (f"Median {metric.title}: ", *who(result), " at ", Number(fact=fact), "."))]
    return [
        Finding(kind, (f"{word} by median {metric.title}: ", *who(result), " at ", Number(fact=fact), "."))
        for word, (_, result, fact) in zip(words, (ordered[0], ordered[-1]), strict=True)
    ]


def _cold_starts(measured: Measured, book: FactBook) -> Finding:
    parts: list[Line] = []
    for result, subject in measured:
        count = book.get(subject, "cold_rounds")
        if not count.value:
            continue
        loads = book.get(subject, "load", "median of cold")
        part: Line = (*who(result), " (", Number(fact=count))
        if loads.value is not None:
            part = (*part, ", median load ", Number(fact=loads))
        parts.append((*part, ")"))
    if not parts:
        return Finding("cold starts", ("No cold start: the model was never loaded for a round.",), notable=False)
    # The first warm-up of a session loads the model as a rule; only a good round that it cost is worth a look.
    return Finding(
        "cold starts",
        ("Cold starts: ", *joined(tuple(parts)), "."),
        notable=any(result.off_start for result, _ in measured),
    )


def _failures(measured: Measured, book: FactBook) -> list[Finding]:
    """Each case with failed rounds, and their reasons in the words of the server."""
    found = []
    for result, subject in measured:
        if not result.failed:
            continue
        counts = [
            (Number(fact=fact), text)
            for name, text in (("failed_rounds", ""), ("failed_warmups", " in the warm-up"))
            if (fact := book.get(subject, name)).value
        ]
        reasons = defaultdict(list)
        for each in result.failed:
            failure = each.generation.failure
            assert failure is not None, "only failed rounds are looked at"
            kind = failure.kind if failure.status is None else f"HTTP {failure.status}"
            reasons[_short(f"{kind} ({failure.cause}): {failure.message}")].append(each)
        said: list[Line] = [(Label(numbers_of(rounds)), " ", Label(reason)) for reason, rounds in reasons.items()]
        found.append(
            Finding(
                "failures",
                (
                    "Failed rounds: ",
                    *who(result),
                    ", ",
                    *joined(tuple(counts), " and "),
                    ": ",
                    *joined(tuple(said), "; "),
                ),
            )
        )
    return found or [Finding("failures", ("No round failed.",), notable=False)]


def _unmet(measured: Measured, book: FactBook) -> list[Finding]:
    """Each case with answers that are not as expected, and what they do not meet; nothing where nothing is expected."""
    found = []
    for result, subject in measured:
        said: dict[str, tuple[str, list[Round]]] = {}
        for each in result.unmet:
            for text in each.generation.unmet or ():
                rounds = said.setdefault(text.partition(":")[0], (text, []))[1]
                rounds += [] if each in rounds else [each]
        counts = [Number(fact=book.get(subject, name)) for name in ("unmet_rounds", "counted_rounds")]
        parts: list[Line] = [(Label(numbers_of(rounds)), " ", Label(_short(text))) for text, rounds in said.values()]
        if parts:
            line: Line = ("Answers not as expected: ", *who(result), ", ", counts[0], " of ", counts[1], ": ")
            found.append(Finding("expectations", (*line, *joined(tuple(parts), "; "))))
    if found or not any(result.case.expect for result, _ in measured):
        return found
    return [Finding("expectations", ("Every answer was as expected.",), notable=False)]


def _short(text: str) -> str:
    """Text of bounded length; the whole of it is in the JSON twin."""
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."


def _prompts(measured: Measured, book: FactBook) -> list[Finding]:
    """Prompts that did not fit, and a num_ctx that is not what was asked for."""
    found = []
    for name, text in (
        ("refused_prompts", "Prompts that did not fit into num_ctx and were refused: "),
        ("cut_prompts", "Prompts that the server cut to num_ctx: "),
    ):
        parts = _with(measured, book, name)
        if parts:
            found.append(Finding("prompts", (text, *joined(parts), ".")))
    unknown = tuple(who(result) for result, _ in measured if _fit_is_unknown(result))
    if unknown:
        found.append(Finding("prompts", ("Whether the whole prompt was read is unknown: ", *joined(unknown), ".")))
    for result, subject in measured:
        asked = result.case.options.get("num_ctx")
        loaded = result.loaded.context_length if result.loaded else None
        if isinstance(asked, int) and loaded is not None and loaded < asked:
            fact = book.get(subject, "num_ctx", "value")
            line: Line = ("The server cut num_ctx down: ", *who(result), " asked for ", Label(str(asked)), " and got ")
            found.append(Finding("prompts", (*line, Number(fact=fact), ".")))
    return found or [Finding("prompts", ("Every prompt fitted into num_ctx.",), notable=False)]


def _with(measured: Measured, book: FactBook, count: str, statistic: str = "count") -> tuple[Line, ...]:
    """The cases in which something was counted, with the count."""
    return tuple(
        (*who(result), " (", Number(fact=fact), ")")
        for result, subject in measured
        if (fact := book.get(subject, count, statistic)).value
    )


def _fit_is_unknown(result: CaseResult) -> bool:
    counted = result.counted
    return not counted or any(result.prompt_fit(each.generation) == "unknown" for each in counted)


def _stalls(measured: Measured, book: FactBook) -> Finding:
    parts: list[Line] = [
        (
            *who(result),
            " (",
            Number(fact=fact),
            ", rounds affected: ",
            Number(fact=book.get(subject, "stalled_rounds")),
            ")",
        )
        for result, subject in measured
        if (fact := book.get(subject, "stalls", "sum")).value
    ]
    if not parts:
        return Finding("stalls", ("No counted round stalled.",), notable=False)
    return Finding("stalls", ("Stalls: ", *joined(tuple(parts)), "."))


def _waiting(measured: Measured, book: FactBook) -> list[Finding]:
    """The longest wait that a server's durations leave unexplained, and how often a server said that it was busy."""
    busy = _with(measured, book, "busy_answers", "sum")
    found = [Finding("waiting", ("Times that the server was busy first: ", *joined(busy), "."))] if busy else []
    known = [
        (fact.value, result, fact)
        for result, subject in measured
        if (fact := book.get(subject, "wait", "max")).value is not None
    ]
    if not known:
        text = "Waiting within requests is unknown: no counted round reports all durations."
        return [*found, Finding("waiting", (text,), notable=False)]
    _, result, fact = max(known, key=lambda each: each[0])
    line: Line = ("Longest wait within a request (for a slot, template, tokenising): ", Number(fact=fact), " in ")
    return [*found, Finding("waiting", (*line, *who(result), "."), notable=False)]


_ANSWERS = {
    "empty_answers": "Rounds with an empty answer: ",
    "only_thinking": "Rounds with thinking and no answer: ",
    "short_answers": "Rounds whose answer ended before the size asked for: ",
    "length_limited": "Rounds whose answer ended at a limit of tokens: ",
}


def _answers(measured: Measured, book: FactBook) -> list[Finding]:
    return [
        Finding("answers", (text, *joined(parts), "."), notable=name != "length_limited")
        for name, text in _ANSWERS.items()
        if (parts := _with(measured, book, name))
    ]


def _incomplete(measured: Measured, book: FactBook) -> list[Finding]:
    found = []
    for reason, group in groupby(
        sorted((each for each in measured if not each[0].complete), key=lambda each: each[0].stopped or ""),
        key=lambda each: each[0].stopped,
    ):
        parts: list[Line] = []
        for result, subject in group:
            counted, asked = (Number(fact=book.get(subject, name)) for name in ("counted_rounds", "rounds_asked"))
            parts.append((*who(result), " (", counted, " of ", asked, " rounds count)"))
        why: Line = (" Reason: ", Label(reason)) if reason else ()
        found.append(Finding("incomplete", ("Not all rounds were made: ", *joined(tuple(parts)), ".", *why)))
    return found
