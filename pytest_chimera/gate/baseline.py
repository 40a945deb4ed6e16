"""Which earlier runs a case is compared with: the newest that are comparable with it and with one another.

Saved runs in, a choice with its reasons out. What a difference of numbers means is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_chimera.gate.conditions import differences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.gate.conditions import Conditions
    from pytest_chimera.gate.saved import SavedCase, SavedRun

Member = tuple["SavedRun", "SavedCase"]
"""A run and one of its cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The history of one case."""

    members: tuple[Member, ...] = ()
    """Oldest first."""
    refused: str | None = None
    """Why earlier runs that have the case cannot be compared with; None where they can or there are none."""
    differences: tuple[str, ...] = ()
    """In what the case that is judged differs from the newest of them."""
    left_out: tuple[str, ...] = ()
    """Runs that have the case and are not members, each with the reason."""

    @property
    def runs(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(run.name for run, _ in self.members)


class Baseline:
    """The saved runs that a run is held against."""

    def __init__(
        self,
        runs: Sequence[SavedRun],
        *,
        last: int | None = None,
        passed_only: bool = False,
        anyway: bool = False,
        notes: Sequence[str] = (),
    ) -> None:
        """`runs` oldest first; `last` so many of them per case; `anyway` compares also what is not the same case."""
        self.runs = tuple(runs)
        self.last = last
        self.passed_only = passed_only
        self.anyway = anyway
        self.notes = tuple(notes)

    @cached_property
    def cases(self) -> tuple[str, ...]:
        """Ids of all cases that any of the runs has, in order."""
        return tuple(dict.fromkeys(case for run in self.runs for case in run.cases))

    def choose(self, case: str, now: Conditions | None = None, environment: Mapping[str, str] | None = None) -> Chosen:
        """The history of a case measured under the conditions `now` or, where those are not known, in `environment`."""
        usable, reasons = self._usable(case)
        if not usable:
            return Chosen(left_out=self._left_out(reasons))
        newest = _newest_known(usable).conditions
        like = now or newest
        same = _same(usable, like)
        if not same and not self.anyway:
            refused = f"it is not the same case: {_joined(like.redefined(newest))}"
            return Chosen(refused=refused, left_out=self._left_out(reasons))
        if not same:  # compared anyway, but only with runs of one and the same case
            like = newest
            same = _same(usable, like)
        reference = _reference(same, now, environment or {}).conditions
        alike = [member for member in same if not member[1].conditions.changed(reference)]
        members = tuple(alike[-self.last :] if self.last else alike)
        for run, each in usable:
            if found := each.conditions.redefined(like) or each.conditions.changed(reference):
                reasons[run.name] = _joined(found)
        return Chosen(
            members=members,
            differences=() if now is None else _named(now, reference, members),
            left_out=self._left_out(reasons, members),
        )

    def _usable(self, case: str) -> tuple[list[Member], dict[str, str]]:
        """Those that have the case, all its rounds, and a gate that passed where only such are wanted; why the others
        are left out.
        """
        usable: list[Member] = []
        reasons = {}
        for run in self.runs:
            found = run.cases.get(case)
            if found is None:
                continue
            if self.passed_only and not run.passed:
                reasons[run.name] = "its own gate failed"
            elif not found.complete:
                reasons[run.name] = "the case was interrupted"
            elif self.passed_only and found.unconfirmed:
                reasons[run.name] = "it was worse at first, and not when it was measured again"
            else:
                usable.append((run, found))
        return usable, reasons

    def _left_out(self, reasons: Mapping[str, str], members: Sequence[Member] = ()) -> tuple[str, ...]:
        """Each run that was left out, with the reason; where enough were found, none older than those."""
        names = [run.name for run in self.runs]
        full = self.last is not None and len(members) == self.last
        names = names[names.index(members[0][0].name) :] if full else names
        return tuple(f"{name}: {reasons[name]}" for name in names if name in reasons)


def _same(members: Sequence[Member], like: Conditions) -> list[Member]:
    """Those that are the same case."""
    return [member for member in members if not like.redefined(member[1].conditions)]


def _newest_known(members: Sequence[Member]) -> SavedCase:
    """The newest of whose conditions anything is known, else the newest."""
    return next((case for _, case in reversed(members) if case.conditions.known), members[-1][1])


def _reference(members: Sequence[Member], now: Conditions | None, environment: Mapping[str, str]) -> SavedCase:
    """The newest that agrees in its circumstances, else the newest: all members of a history are to agree with it.

    One of which nothing is known agrees with everything, and is no reference.
    """
    known = [(run, case) for run, case in members if case.conditions.known]
    for _, case in reversed(known):
        before = case.conditions
        if not (differences(environment, before.environment) if now is None else now.changed(before)):
            return case
    return _newest_known(members)


def _named(now: Conditions, before: Conditions, members: Sequence[Member]) -> tuple[str, ...]:
    """Every difference, and of which runs nobody knows them, because they have no `extra_info`."""
    unknown = [run.name for run, case in members if not case.conditions.known]
    nothing = (f"nothing is known of what {', '.join(unknown)} was measured on",) if now.known and unknown else ()
    return (*now.redefined(before), *now.changed(before), *nothing)


def _joined(found: Sequence[str]) -> str:
    return "; ".join(found)
