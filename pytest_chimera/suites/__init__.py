"""What a test does with a model: ask it as a persona, in rounds, under limits, with every round written down.

arguments   how a case is measured: marker, call, settings    persona    who the model is asked to be
cases       from a question to a `Case`                        sizes      prompts of a fixed number of tokens
runner      what measures on one host                          coldness   which rounds had to load the model
course      one case, round after round                        checking   what a result fails its case with
journal     rounds on disk as they happen                      exclusive  turns on one host
run, bench  what a test holds and calls                        explain    why a case failed, for people
gating      a result and its gate                               agents    personas at work on the facts of a report
sweep       what a person may write as a sweep or arms         points     from a point to what it asks and how
schedule    in which order the rounds of all are made          sweeping   points measured together
sweep_run   what a test holds of a sweep or of arms            expect     what must hold of an answer
probing     examples of a property, within a budget            pasting    a case as YAML to paste
"""

from __future__ import annotations

from pytest_chimera.suites.arguments import CaseArguments
from pytest_chimera.suites.bench import Bench
from pytest_chimera.suites.explain import CaseFailed, ExpectationBroken, LimitBroken, RoundsFailed, WorseThanBefore
from pytest_chimera.suites.run import AnswerError, Run
from pytest_chimera.suites.sweep_run import ArmsRun, SweepRun

__all__ = [
    "AnswerError",
    "ArmsRun",
    "Bench",
    "CaseArguments",
    "CaseFailed",
    "ExpectationBroken",
    "LimitBroken",
    "RoundsFailed",
    "Run",
    "SweepRun",
    "WorseThanBefore",
]
