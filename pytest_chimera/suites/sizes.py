"""Prompts of a fixed size: `prompt_tokens=512` becomes a text of which the server counts 512 tokens.

The server's own count (`prompt_eval_count`) of what the rounds send is the measure, with persona, template and, where
they carry one, nonce; no tokenizer is needed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_chimera.errors import MarkerError
from pytest_chimera.suites.arguments import CALL
from pytest_chimera.suites.cases import with_prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import Case, Generation

_WORDS = (  # noqa: SIM905  # a text is easier to read than its list
    "the river runs past the old mill and under the stone bridge where a boat waits for rain in the grey light of "
    "morning while people on the far bank carry bread and apples to the market and talk of wind and harvest"
).split()
_TRIES = 8
_FIRST_WORDS = 32
"""So few fit into every num_ctx, and show how many tokens a word has: five, with the tokenizer of a small model."""


def calibrate(
    case: Case, ask: Callable[[Case], Generation], known: dict[object, str]
) -> tuple[Case, Generation | None]:
    """The case with a prompt as near to its `prompt_tokens` as words allow, and the request that failed, if one did.

    `ask` measures one request; `known` keeps what was found for the next case that asks for the same. Raises
    MarkerError for a size that nonce, persona and template alone go beyond.
    """
    target = case.prompt_tokens
    assert target is not None, "only a case with a fixed size is calibrated"
    key = (case.model.name, case.model.digest, case.prompt_hash, target, case.endpoint, case.prefix)
    if key in known:
        return with_prompt(case, known[key]), None
    counts: dict[int, int] = {}
    words = min(target, _FIRST_WORDS)
    probe = replace(case, options={**case.options, "num_predict": 1})
    for _ in range(_TRIES):
        answer = ask(with_prompt(probe, filler(words)))
        if not answer.ok:
            return with_prompt(case, filler(words)), answer
        if answer.prompt_eval_count is None:
            break
        counts[words] = answer.prompt_eval_count
        words = _next(counts, target)
        if words in counts:
            break
    if counts:
        words = min(counts, key=lambda each: (abs(counts[each] - target), each))
        _check_reachable(words, counts[words], target)
    known[key] = filler(words)
    return with_prompt(case, known[key]), None


def _check_reachable(words: int, counted: int, target: int) -> None:
    if words > 1 or counted <= target:
        return
    raise MarkerError(
        f"{CALL} has prompt_tokens={target}, but the server counts {counted} tokens of a prompt of one word.",
        f"Accepted for this model and persona: {counted} or more.",
        "The rest is template, persona and nonce: ask for more, or leave the persona out.",
    )


def filler(words: int) -> str:
    """A text of so many words, always the same."""
    return " ".join(_WORDS[each % len(_WORDS)] for each in range(words))


def _next(counts: dict[int, int], target: int) -> int:
    """The number of words to try next: on the line through the two nearest tries, or by ratio after the first."""
    near = sorted(counts, key=lambda words: abs(counts[words] - target))[:2]
    best = near[0]
    slope = counts[best] / best  # too steep by what template and nonce take, so that the second try is too short
    if len(near) > 1 and counts[near[0]] != counts[near[1]]:
        slope = (counts[near[0]] - counts[near[1]]) / (near[0] - near[1])
    step = (target - counts[best]) / slope if slope > 0 else target - counts[best]
    return max(1, best + round(step))
