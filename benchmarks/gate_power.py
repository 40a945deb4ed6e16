"""How often the gate cries wolf and how often it finds a slowdown, beside other rules and the best that can be done.

    python benchmarks/gate_power.py [--suites 1000] [--seed 1] [--scenario NAME ...]
    python benchmarks/gate_power.py --runs FILE [--threshold 0.03] [--allowance 0.02] [--draws 2000]

Without --runs suites are simulated (`gate_noise.py`): --suites histories for each scenario of 20 cases (more where
there are fewer cases), each met by ten new runs. "False alarms" is the share of unchanged suites with at least one
false `worse`; "power" the share of slowed cases that are found, each case slowed in turn, the others unchanged. The
oracles (`gate_rivals.py`) know the true spread. With --runs the same is asked of recorded runs, one JSON object a line:
{"run", "arm", "rounds"}; the arm "base" is unchanged, every other arm a known slowdown. Baselines are drawn at random
from the unchanged runs without the one that is judged; intervals (95 %) come from resampling runs, not baselines. Both
end with a table of the aims. Results go to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import TypeAlias

from gate_noise import RUNS, SCENARIOS, SHARED_RUNS, Rate, Scenario, Tally, simulate
from gate_rivals import FIELDS, ONE_RUN, Judge, Recorded, Rule, read

from pytest_chimera.gate.rule import ALLOWANCE

CHUNK = 50
"""Histories simulated, or samples of runs drawn, in one go by a worker."""
SAMPLES = 300
"""How often runs are resampled for an interval."""
ORACLES = {
    "oracle": "knows each case's spread, as above",
    "exact": "knows the correlation of the cases too",
    "seeing": "also looks at what the other cases of the new run did",
}
"""What each knows, and how its column begins."""
ONE_RUN_HEADS = ("mean:5%", "asv", "benchst.")
HOG10 = {"tok/s": 80, "e2e": 80, "prefill": 75, "ttft": 60}
Shares: TypeAlias = dict[tuple[str, str], float]
"""(Metric, arm) -> how often the arm is called slower, in percent."""


@dataclass(frozen=True, slots=True)
class Aim:
    """One number that is aimed at, and what was measured."""

    text: str
    bound: float
    measured: float
    error: float = 0.0
    at_most: bool = True
    note: str = ""

    @property
    def line(self) -> str:
        """Aim, measured value and verdict; within two standard errors of the bound counts as met."""
        excess = self.measured - self.bound if self.at_most else self.bound - self.measured
        verdict = "met" if excess <= 0 else "met within error" if excess < 2 * self.error else "missed"
        error = f" ± {self.error:.2f}" if self.error else ""
        sign = "<=" if self.at_most else ">="
        return f"{self.text:<60} {sign} {self.bound:>3g}  {self.measured:6.2f}{error}  {verdict}{self.note}"


# --- simulated suites ---


def simulated(scenarios: list[Scenario], suites: int, seed: int) -> dict[str, Tally]:
    """What every test says in every scenario."""
    found: dict[str, Tally] = {}
    with ProcessPoolExecutor() as pool:
        jobs = {
            scenario: [
                pool.submit(simulate, scenario, f"{seed} {scenario.name} {chunk}", CHUNK)
                for chunk in range(math.ceil(suites * max(1, min(5, 10 // scenario.cases)) / CHUNK))
            ]
            for scenario in scenarios
        }
        for scenario, chunks in jobs.items():
            tally: Tally = {}
            for chunk in chunks:
                for test, outcomes in chunk.result().items():
                    tally.setdefault(test, []).extend(outcomes)
            found[scenario.name] = tally
            print(f"{scenario.name}: {len(tally['ours 5'])} histories", file=sys.stderr)
    return found


def rate(tally: Tally, test: str, which: int) -> Rate:
    """False alarms (0) or power (1) of a test."""
    return Rate.of([outcome[which] for outcome in tally[test]])


def short_of(tally: Tally, test: str, best: str) -> Rate:
    """By how many points the power of a test is below that of the best."""
    pairs = zip(tally[best], tally[test], strict=True)
    return Rate.of([theirs[1] - ours[1] for theirs, ours in pairs])


def simulated_table(found: dict[str, Tally], which: int, columns: dict[str, str]) -> list[str]:
    """One row for each scenario, one column (test -> its heading) for each test."""
    lines = [f"{'':<16}" + "".join(f"{heading:>9}" for heading in columns.values())]
    for name, tally in found.items():
        cells = "".join(f"{cell_of(rate(tally, test, which), which):>9}" for test in columns)
        lines.append(f"{name:<16}{cells}")
    return lines


def cell_of(found: Rate, which: int) -> str:
    """A rate and its standard error in eight characters: two decimals for few false alarms."""
    digits = 2 if which == 0 and found.value < 9.995 and found.error < 0.995 else 1
    return f"{found.value:.{digits}f}±{found.error:.{digits}f}".replace("100.0", "100").replace("±0.", "±.")


def simulated_aims(scenarios: list[Scenario], found: dict[str, Tally]) -> list[Aim]:
    """The aims for 20 cases and 5 or more runs."""
    aims = []
    for scenario in scenarios:
        for runs in (5, 10) if scenario.aim is not None else ():
            alarms, alone = (rate(found[scenario.name], f"{test} {runs}", 0) for test in ("ours", "margin"))
            text, note = f"false alarms, {runs} runs, {scenario.name}", f" (margin: {cell_of(alone, 0)})"
            aims.append(Aim(text, scenario.aim or 0.0, alarms.value, alarms.error, note=note))
    for name, runs, bound in (("cases-20", 5, 10), ("cases-20", 10, 5), ("share-0.8", 5, 25), ("share-0.8", 10, 5)):
        for oracle in ORACLES:
            if name in found and f"{oracle} {runs}" in found[name]:
                gap = short_of(found[name], f"ours {runs}", f"{oracle} {runs}")
                text = f"power, {runs} runs, {name}: points below the `{oracle}` oracle"
                aims.append(Aim(text, bound, gap.value, gap.error))
    return aims


def report_simulated(scenarios: list[Scenario], suites: int, seed: int) -> None:
    """Simulate and print."""
    found = simulated(scenarios, suites, seed)
    print("Scenarios (spread: s.d. of logarithms; 10 rounds a run)")
    print(*[f"{scenario.name:<16} {scenario.about}" for scenario in scenarios], sep="\n")
    heads = f"{'':<19}{'ours, with so many runs':<36}{'against one run':<27}the oracle, with so many runs"
    columns = {f"ours {runs}": str(runs) for runs in RUNS} | dict(zip(ONE_RUN, ONE_RUN_HEADS, strict=True))
    columns |= {f"oracle {runs}": str(runs) for runs in RUNS}
    print("\nFalse alarms: unchanged suites with a false `worse`, % ± Monte-Carlo standard error", heads, sep="\n")
    print(*simulated_table(found, 0, columns), sep="\n")
    print("\nPower: slowed cases found, %", heads, sep="\n")
    print(*simulated_table(found, 1, columns), sep="\n")
    print("\nFalse alarms of the margin alone, were any difference beyond it called `worse` whatever the threshold")
    print(*simulated_table(found, 0, {f"margin {runs}": str(runs) for runs in RUNS}), sep="\n")
    shared = {scenario.name: found[scenario.name] for scenario in scenarios if scenario.share}
    if shared:
        print("\nWhere cases share noise, false alarms and then power of the oracle that")
        print(*[f"- {about} (`{oracle}`)" for oracle, about in ORACLES.items()], sep="\n")
        print(f"{'':<19}{'with 5 runs':<27}with 10 runs")
        columns = {f"{oracle} {runs}": oracle for runs in SHARED_RUNS for oracle in ORACLES}
        print(*simulated_table(shared, 0, columns), *simulated_table(shared, 1, columns)[1:], sep="\n")
    print(f"\n{'Aims':<60} {'bound':>6}  measured")
    print(*[aim.line for aim in simulated_aims(scenarios, found)], sep="\n")


# --- recorded runs ---


RULES = [
    *[Rule(runs, together) for runs in RUNS for together in (False, True)],
    *[Rule(1, rival=index) for index in range(len(ONE_RUN))],
]


@dataclass(frozen=True, slots=True)
class Interval:
    """A rate of recorded runs in percent, with its 95 % interval where enough runs were there to resample."""

    value: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """As it stands in the table."""
        low, high = (f"{end:.0f}" if end >= 9.5 else f"{end:.1f}" for end in (self.low, self.high))
        return f"{self.value:.1f} [{low}, {high}]"


@dataclass(frozen=True, slots=True)
class Recording:
    """Recorded runs, and how they are judged."""

    runs: list[Recorded]
    threshold: float
    allowance: float
    draws: int
    seed: int

    @property
    def arms(self) -> dict[str, list[int]]:
        """Arm -> its runs, the unchanged ones first."""
        found: dict[str, list[int]] = {"base": []}
        for index, run in enumerate(self.runs):
            found.setdefault(run.arm, []).append(index)
        return found

    def shares(self, rule: Rule) -> Shares:
        """How often each arm is called slower by a rule, with all runs as they are."""
        judge = Judge(self.runs, self.threshold, self.allowance)
        return shares_of(judge, rule, self.arms, self.draws, random.Random(f"{self.seed} {rule.label}"))

    def resampled(self, rule: Rule, chunk: int) -> list[Shares]:
        """The same with runs drawn with replacement, arm by arm; several times."""
        judge = Judge(self.runs, self.threshold, self.allowance)
        rng = random.Random(f"{self.seed} {rule.label} {chunk}")
        found = []
        for _ in range(CHUNK):
            arms = {arm: rng.choices(runs, k=len(runs)) for arm, runs in self.arms.items()}
            found.append(shares_of(judge, rule, arms, max(1, self.draws // 20), rng))
        return found


def shares_of(judge: Judge, rule: Rule, arms: dict[str, list[int]], draws: int, rng: random.Random) -> Shares:
    """How often each arm is called slower; empty where there are too few unchanged runs for a history and one more.

    A run drawn twice weighs double, but is never twice in one history: that would look like noise that is not there.
    """
    base = arms["base"]
    if len(set(base)) <= rule.runs:
        return {}
    histories = [(run,) for run in base] if rule.runs == 1 else [history_of(base, rule.runs, rng) for _ in range(draws)]
    weights = {arm: Counter(runs) for arm, runs in arms.items()}
    hits: Counter[tuple[str, str]] = Counter()
    totals: Counter[str] = Counter()
    for history in histories:
        slower = judge.slower(rule, history)
        for arm, runs in weights.items():
            for run, weight in runs.items():
                if run not in slower:
                    continue
                totals[arm] += weight
                for metric in slower[run]:
                    hits[metric, arm] += weight
    return {(metric, arm): 100 * hits[metric, arm] / totals[arm] for metric in [*FIELDS, "any"] for arm in totals}


def history_of(base: list[int], runs: int, rng: random.Random) -> tuple[int, ...]:
    """So many different runs, at random."""
    return tuple(dict.fromkeys(rng.sample(base, len(base))))[:runs]


def intervals(recording: Recording) -> dict[Rule, dict[tuple[str, str], Interval]]:
    """Every rate with its interval, rule by rule; rules that need more unchanged runs than there are are left out."""
    found = {}
    with ProcessPoolExecutor() as pool:
        values = {rule: pool.submit(recording.shares, rule) for rule in RULES}
        chunks = range(math.ceil(SAMPLES / CHUNK))
        samples = {rule: [pool.submit(recording.resampled, rule, chunk) for chunk in chunks] for rule in RULES}
        for rule, value in values.items():
            drawn = [shares for chunk in samples[rule] for shares in chunk.result() if shares]
            if value.result():
                found[rule] = {key: interval_of(at, key, drawn) for key, at in value.result().items()}
            print(f"{rule.label}: {len(drawn)} samples of runs", file=sys.stderr)
    return found


def interval_of(value: float, key: tuple[str, str], drawn: list[Shares]) -> Interval:
    """The middle 95 % of the resampled values."""
    if len(drawn) < 40:
        return Interval(value, 0.0, 100.0)
    cuts = quantiles([shares[key] for shares in drawn], n=40)
    return Interval(value, cuts[0], cuts[-1])


def recorded_table(found: dict[Rule, dict[tuple[str, str], Interval]], arms: list[str]) -> list[str]:
    """One row for each rule and metric, one column for each arm."""
    lines = [f"{'':<19}{'':<9}" + "".join(f"{arm:>18}" for arm in arms)]
    for rule, rates in found.items():
        for metric in [*FIELDS, "any"] if rule.together else FIELDS:
            label = rule.label if metric == next(iter(FIELDS)) else ""
            cells = "".join(f"{rates[metric, arm].text:>18}" for arm in arms)
            lines.append(f"{label:<19}{metric:<9}{cells}")
    return lines


def recorded_aims(found: dict[Rule, dict[tuple[str, str], Interval]], arms: list[str]) -> list[Aim]:
    """The aims for recorded runs; those that ask for an arm the file lacks are left out."""
    aims = []
    for runs, together, arm, bounds in (
        (5, False, "hog10", HOG10),
        (5, True, "hog10", dict.fromkeys(FIELDS, 70)),
        (5, False, "hog30", dict.fromkeys(FIELDS, 99)),
        (5, True, "hog30", dict.fromkeys(FIELDS, 99)),
        (10, False, "hog10", {"tok/s": 95}),
    ):
        rates = found.get(Rule(runs, together), {})
        for metric, bound in bounds.items() if arm in arms and rates else ():
            text = f"{Rule(runs, together).label}: {arm} found by {metric}"
            rate_ = rates[metric, arm]
            aims.append(Aim(text, bound, rate_.value, at_most=False, note=f" ({rate_.text})"))
    for rule, rates in found.items():
        if rule.rival is None and rule.runs != 3:
            metric = "any" if rule.together else max(FIELDS, key=lambda name: rates[name, "base"].value)
            alarms = rates[metric, "base"]
            end, measured = ("", alarms.value) if rule.runs == 1 else (", lower end", alarms.low)
            which = "any metric" if rule.together else f"{metric} (the worst)"
            text = f"{rule.label}: false alarms by {which}{end}"
            aims.append(Aim(text, 2, measured, note=f" ({alarms.text})"))
    return aims


def report_recorded(recording: Recording) -> None:
    """Judge and print."""
    arms = recording.arms
    if not arms["base"]:
        raise SystemExit("No run of the arm `base`, which is unchanged: there is nothing to judge the others by.")
    found = intervals(recording)
    sizes = ", ".join(f"{arm} {len(runs)}" for arm, runs in arms.items())
    print(f"Runs: {sizes}. Threshold {recording.threshold:.1%}, allowance {recording.allowance:.1%}.")
    print(
        "Called slower, % [95 % interval]; `base` is unchanged, so these are false alarms. An interval of [0, 0] says"
    )
    most = 100 * (1 - 0.05 ** (1 / len(arms["base"])))
    print(f"only that no run here was called: the true rate may still be {most:.0f} % with so many unchanged runs.")
    print(*recorded_table(found, list(arms)), sep="\n")
    print(f"\n{'Aims':<60} {'bound':>6}  measured")
    print(*[aim.line for aim in recorded_aims(found, list(arms))], sep="\n")


def main() -> None:
    """Simulate suites, or judge recorded runs, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--suites", type=int, default=1000, help="histories simulated for each scenario")
    parser.add_argument("--seed", type=int, default=1)
    names = {scenario.name: scenario for scenario in SCENARIOS}
    parser.add_argument("--scenario", nargs="+", metavar="NAME", choices=names, default=list(names))
    parser.add_argument("--runs", type=Path, metavar="FILE", help="judge recorded runs instead")
    parser.add_argument("--threshold", type=float, default=0.03, help="least change that counts, with --runs")
    parser.add_argument("--allowance", type=float, default=ALLOWANCE, help="spread assumed with 1 run, with --runs")
    parser.add_argument("--draws", type=int, default=2000, help="histories drawn, with --runs")
    given = parser.parse_args()
    start = time.perf_counter()
    if given.runs:
        report_recorded(Recording(read(given.runs), given.threshold, given.allowance, given.draws, given.seed))
    else:
        report_simulated([names[name] for name in given.scenario], given.suites, given.seed)
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
