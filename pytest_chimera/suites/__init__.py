"""What a test does with a model: ask it as a persona, in rounds, under limits, with every round written down.

arguments   how a case is measured: marker, call, settings    persona    who the model is asked to be
cases       from a question to a `Case`                        sizes      prompts of a fixed number of tokens
runner      one case, round after round                        coldness   which rounds had to load the model
journal     rounds on disk as they happen                      exclusive  turns on one host
run, bench  what a test holds and calls                        explain    why a case failed, for people
gating      a result and its gate                               agents    personas at work on the facts of a report
"""

from __future__ import annotations

from pytest_chimera.suites.arguments import CaseArguments
from pytest_chimera.suites.bench import Bench
from pytest_chimera.suites.explain import CaseFailed, ExpectationBroken, LimitBroken, RoundsFailed, WorseThanBefore
from pytest_chimera.suites.run import AnswerError, Run

__all__ = [
    "AnswerError",
    "Bench",
    "CaseArguments",
    "CaseFailed",
    "ExpectationBroken",
    "LimitBroken",
    "RoundsFailed",
    "Run",
    "WorseThanBefore",
]
