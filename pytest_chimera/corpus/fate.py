"""Whether a row failed, and what its ambiguous numbers mean: rules on what stands beside them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_chimera.corpus.grammar import statistic_word
from pytest_chimera.corpus.rows import Term

if TYPE_CHECKING:
    from pytest_chimera.corpus.rows import Row
    from pytest_chimera.corpus.vocabulary import Vocabulary

_YES = frozenset(
    {"true", "yes", "ok", "success", "successful", "passed", "pass", "completed", "complete", "done", "1", "1.0"}
)
_NO = frozenset(
    {"false", "no", "failed", "fail", "failure", "error", "errored", "timeout", "timed out", "0", "0.0", "cancelled"}
)
_NO_ERROR = frozenset({
    "", "none", "null", "nan", "n/a", "na", "-", "false", "0", "ok", "no", "no error", "none.", "success", "[]", "{}",
})  # fmt: skip
_HTTP_STATUS = re.compile(r"[1-5]\d\d")
_MASKED = re.compile(
    r"\W*(?:\[?(?:http )?error\]?\s*(?::|\d{3}\b|-\s|(?:while |when )?"
    r"(?:generating|calling|connecting|loading|during)\b)"
    r"|\w*(?:error|exception):|exception\s+(?:in|while|occurred|during)\b|traceback \(most recent call last\)"
    r"|failed to (?:connect|generate|load|get|reach|fetch|parse|run)\b)",
    re.IGNORECASE,
)
_LONGEST_REASON = 300
_FEWEST_MEANS = 2
_SAME = 0.02
"""Rate x time is the count when they agree to so much: people round."""
_OF_A_MODEL = frozenset({"ttft", "load", "eval", "prompt_eval", "output_tokens", "prompt_tokens", "prefill", "itl"})
"""Metrics that only a language model has."""


def said_success(value: object) -> bool | None:
    """What a cell under "success" or "status" says; None when it says neither. HTTP says it by number."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if _HTTP_STATUS.fullmatch(word) is not None:
        return word[0] in "23"
    return True if word in _YES else False if word in _NO else None


def said_error(value: object) -> str | None:
    """The error that a cell holds; None when it says that there was none."""
    if value is None or value is False or value in ({}, []):
        return None
    if isinstance(value, dict):
        value = next((value[name] for name in ("message", "detail", "type") if value.get(name)), value)
    elif isinstance(value, list):
        value = value[0]
    text = " ".join(str(value).split())
    return None if text.lower() in _NO_ERROR else text[:_LONGEST_REASON]


def judge(row: Row, error: str | None, *, success: bool | None, answer: str | None, zeros: bool) -> None:
    """Set why a row failed, if it did: an error, `success` false, an answer that is an error, nothing but zeros."""
    if error is not None:
        row.failure = error
    elif success is False:
        row.failure = "marked as not successful"
    elif answer is not None and _MASKED.match(answer):
        row.failure = f"masked: the answer is {' '.join(answer.split())[:_LONGEST_REASON]!r}"
    elif zeros:
        row.failure = "every time and rate is zero"


def only_zeros(row: Row) -> bool:
    """Whether a row has times or rates and all of them are zero: nothing takes no time."""
    seen = False
    for term, value, _ in row.numbers:
        if term.role != "performance" or term.dimension not in {"time", "rate"} or value is None:
            continue
        if value != 0 or term.statistic == "delta":
            return False
        seen = seen or term.metric != "compile"
    return seen


def settle_tokens(
    row: Row, tokens: tuple[float, str, str] | None, answer: str | None, vocabulary: Vocabulary
) -> str | None:
    """Decide what a bare "tokens" counts, and what a rate beside a whole request's time is.

    `tokens` is (value, name, statistic). Words, when the answer has as many; what the rate counts, when rate x time
    gives it: then the rate is of whole requests and not of decoding. Returns why it cannot be told, or None.
    """
    rate, time = _rate_and_time(row)
    if tokens is None and (rate is None or time is None):
        return None
    count = tokens or _named(row, ("total_tokens", "output_tokens"))
    if count is None:
        return None
    value, name, statistic = count
    whole = False
    if rate is not None and time is not None and row.numbers[time][1] and row.numbers[rate][1]:
        product = (row.numbers[rate][1] or 0) * (row.numbers[time][1] or 0)
        whole = abs(product - value) <= _SAME * max(abs(value), 1e-9)
    words = answer is not None and value > 0 and len(answer.split()) == value
    if rate is not None and whole:
        metric = "words/s" if words else "tok/s_e2e"
        _, number, its_name = row.numbers[rate]
        old = row.numbers[rate][0]
        row.numbers[rate] = (_as(old, metric, vocabulary), number, its_name)
    if tokens is None:
        return None
    if words:
        row.numbers.append((_plain("words", statistic, vocabulary), value, name))
    elif whole:
        row.numbers.append((_plain("output_tokens", statistic, vocabulary), value, name))
    else:
        return "nothing beside it says what it counts"
    return None


def _rate_and_time(row: Row) -> tuple[int | None, int | None]:
    """Which of its numbers are a rate of tokens and the time of a whole request."""
    rate = time = None
    for index, (term, number, _) in enumerate(row.numbers):
        if number is not None:
            if rate is None and term.metric == "tok/s" and term.dimension == "rate":
                rate = index
            elif time is None and term.metric == "latency" and term.dimension == "time":
                time = index
    return rate, time


def settle_words(rows: list[Row], vocabulary: Vocabulary) -> None:
    """Where some rows of a file count words, its other counts and rates of whole requests are of words too."""
    metrics = {term.metric for row in rows for term, _, _ in row.numbers}
    if "words" not in metrics:
        return
    changed = {"tok/s_e2e": "words/s", "output_tokens": "words", "total_tokens": "words"}
    if not any(term[:2] == ("tok/s", "value") for row in rows for term, _, _ in row.numbers):
        changed["tok/s"] = "words/s"  # means of those rates
    for row in rows:
        row.numbers = [
            (_as(term, changed[term.metric], vocabulary), value, name)
            if term.metric in changed
            else (term, value, name)
            for term, value, name in row.numbers
        ]


def settle_means(rows: list[Row]) -> None:
    """A bare time or rate in a row with means of two other metrics is a mean too: "mean_ttft_s, prompt_eval"."""
    for row in rows:
        means = [term.metric for term, _, _ in row.numbers if term.statistic == "mean"]
        if len(means) < _FEWEST_MEANS or len(set(means)) < _FEWEST_MEANS:
            continue
        row.numbers = [
            (term._replace(statistic="mean"), value, name)
            if term.statistic == "value" and term.dimension in {"time", "rate"} and term.metric not in means
            else (term, value, name)
            for term, value, name in row.numbers
        ]


def settle_foot(row: Row, word: str) -> bool:
    """Whether a row is named after a statistic, as a line "Average" below others: its numbers are that then."""
    statistic = statistic_word(word.strip("*` ").lower())
    if statistic is None:
        return False
    row.foot = statistic
    return True


def settle_failed(rows: list[Row]) -> None:
    """A failed row without any number misses those that the rows beside it have."""
    terms: dict[str, list[tuple[Term, float | None, str]]] = {}
    for row in rows:
        if row.numbers and row.failure is None:
            terms.setdefault(row.series, row.numbers)
    for row in rows:
        if row.failure is not None and not row.numbers:
            row.numbers = [(term, None, name) for term, _, name in terms.get(row.series, ())]


def has_model_metrics(row: Row) -> bool:
    """Whether a row speaks of a language model: then a bare "throughput" is in tokens per second."""
    settings = ("num_ctx", "num_gpu")
    return any(term.metric in _OF_A_MODEL for term, _, _ in row.numbers) or any(
        key.endswith(settings) for key in row.parameters
    )


def _named(row: Row, metrics: tuple[str, ...]) -> tuple[float, str, str] | None:
    return next(
        ((value, name, term.statistic) for term, value, name in row.numbers if term.metric in metrics and value), None
    )


def _as(term: Term, metric: str, vocabulary: Vocabulary) -> Term:
    words = vocabulary.metrics[metric]
    return term._replace(metric=metric, dimension=words.dimension, role=words.role)


def _plain(metric: str, statistic: str, vocabulary: Vocabulary) -> Term:
    words = vocabulary.metrics[metric]
    return Term(metric, statistic, 1.0, words.dimension, words.role)
