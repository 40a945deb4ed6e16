"""Whole runs under the gate: who fails and with which text, what is only shown, and what does not change a verdict."""

from __future__ import annotations

import contextlib
import json
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

import pytest_chimera.plugin.closing
import pytest_chimera.plugin.record
import pytest_chimera.plugin.reporting
import pytest_chimera.plugin.runners  # noqa: F401  # runs in this process forget what they imported, but not these four
from pytest_chimera.engine.process import EmbeddedEngine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REQUESTS = 3
"""Of a case: a warm-up and two rounds."""
QUICK = ("--chimera-rounds=2", "--chimera-warmup=1", "--chimera-no-report", "--benchmark-columns=median")
BASELINE = "--chimera-baseline=last:10"
GATED = (BASELINE, "--chimera-fail-on=tok/s:5%")
SAVED = "--benchmark-json=x.json"
MACHINE = """
import pytest

@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_generate_machine_info():
    return {"node": "here"}
"""
"""pytest-benchmark's own takes longer to ask the processor than such a run takes in all."""
SKY = """
def test_sky(chimera):
    chimera("Why is the sky blue?")
"""


Plans = dict[str, tuple[str, dict[str, str]]]
"""Speeds -> address of the server, and the texts of the saved runs by their paths."""


class Gated:
    """A project, and a server whose models answer as fast as was planned, run for run."""

    def __init__(self, project: Any, servers: contextlib.ExitStack, plans: Plans) -> None:
        """Without a server yet."""
        self.project = project
        self.path = project.path
        self.servers = servers
        self.plans = plans
        self.models = ""

    def before(self, **speeds: Sequence[float]) -> None:
        """Serve as planned, and have a saved run for each of the speeds but the last: `0001_base`, `0002_base`, ...

        What was made for one test is copied for the next with the same plan, whose server answers as in the last run.
        """
        runs = max(map(len, speeds.values())) - 1
        if str(speeds) not in self.plans:
            self.serve(**speeds)
            self.save(runs)
            files = [file.relative_to(self.path) for file in self.path.glob(".benchmarks/*/*.json")]
            texts = {str(file): (self.path / file).read_text(encoding="utf-8") for file in files}
            self.plans[str(speeds)] = self.project.host, texts
        self.project.host, texts = self.plans[str(speeds)]
        self.models = ",".join(speeds)
        for file, text in texts.items():
            (self.path / file).parent.mkdir(parents=True, exist_ok=True)
            (self.path / file).write_text(text, encoding="utf-8")

    def serve(self, *, requests: int = REQUESTS, **speeds: Sequence[float]) -> None:
        """Start a server; `speeds` are the tok/s that it reports of a model in each run, the last one for ever.

        A run makes so many `requests` to each model.
        """
        models = {
            name: {"answers": [answer(each) for each in runs for _ in range(requests)], "after_last": "last"}
            for name, runs in speeds.items()
        }
        self.project.host = self.servers.enter_context(EmbeddedEngine.scripted({"models": models})).url
        self.models = ",".join(speeds)

    def run(self, *args: str, **more: Any) -> pytest.RunResult:
        """Run pytest on all models of the server."""
        result: pytest.RunResult = self.project.run(*QUICK, *args, model=self.models, **more)
        return result

    def save(self, runs: int, *args: str) -> None:
        """Make so many runs that are saved as `0001_base`, `0002_base` and so on, and pass."""
        for _ in range(runs):
            assert self.run("--benchmark-save=base", *args).ret == 0

    def rows(self, name: str = "x.json") -> list[dict[str, Any]]:
        """The rows of a file."""
        rows: list[dict[str, Any]] = json.loads((self.path / name).read_text(encoding="utf-8"))["benchmarks"]
        return rows

    def verdicts(self, name: str = "x.json") -> dict[str, dict[str, Any]]:
        """The verdicts in a file, by "case metric"."""
        found = [each for row in self.rows(name) for each in row["extra_info"]["chimera"]["verdicts"]]
        return {f"{each['name']} {each['metric']}": each for each in found}


def answer(tok_s: float, **fields: Any) -> dict[str, Any]:
    """An answer of ten tokens that is reported to have come at this speed."""
    eval_ns = round(10 / tok_s * 1e9)
    report = {
        "total_duration": eval_ns + 50_000_000, "load_duration": 2_000_000, "prompt_eval_count": 20,
        "prompt_eval_duration": 40_000_000, "eval_count": 10, "eval_duration": eval_ns,
    }  # fmt: skip
    return {"tokens": "Because of its molecules.", "report": report, **fields}


@pytest.fixture(scope="module")
def servers() -> Iterator[contextlib.ExitStack]:
    """What stops every server in the end."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def plans() -> Plans:
    """What was made once for several tests."""
    return {}


@pytest.fixture
def gated(project: Any, servers: contextlib.ExitStack, plans: Plans) -> Gated:
    """A project with one test."""
    project.pytester.makeconftest(MACHINE)
    project.pytester.makepyfile(test_sky=SKY)
    return Gated(project, servers, plans)


def table(result: pytest.RunResult) -> list[str]:
    """The table of verdicts as it was printed, with what stands below it; none where there is no such table."""
    lines = result.outlines
    begin = next((i for i, line in enumerate(lines) if " chimera: against the baseline " in line), len(lines)) + 1
    end = next((i for i in range(begin, len(lines)) if re.match("===|!!!|report:|chimera:", lines[i])), len(lines))
    return lines[begin:end]


def outcomes(verdicts: dict[str, dict[str, Any]]) -> dict[str, str]:
    """What was found, by "case metric"."""
    return {name: each["outcome"] for name, each in verdicts.items()}


def failure(result: pytest.RunResult, name: str) -> str:
    """What pytest prints of the failure called `name`, as it stands there, without workers' names."""
    text = re.split(rf"_{{3,}} {re.escape(name)} _{{3,}}\n", result.stdout.str())[1]
    lines = re.split(r"\n(?:---|===|___|!!!)", text)[0].splitlines()
    return "\n".join(line for line in lines if not line.startswith("[gw"))


WORSE = """\
tok/s is 12.0 % lower than before: 88.0 tok/s now (median of 2 rounds), 100 tok/s before (3 runs)
  tok/s: worse, -12.0 %, 95 % interval -15.5 to -8.3 %, allowed 5 %, noise explains up to 6.76 %, p 0.0027 over 3 \
comparisons

  baseline        tok/s
  0001_base   100 tok/s  2 rounds
  0002_base   101 tok/s  2 rounds
  0003_base  99.0 tok/s  2 rounds

  round           tok/s  TTFT  E2E
  warm-up 1  88.0 tok/s  TIME  TIME  not counted
  round 1    88.0 tok/s  TIME  TIME
  round 2    88.0 tok/s  TIME  TIME

  model    other:latest, digest DIGEST, 1K, F16
  host     HOST, the embedded engine VERSION
  options  num_ctx=4096 (default), think=default
  loaded   num_ctx 4096, share on the GPU 0 %
  case     test_sky[other], 2 rounds, 1 warm-up, start warm, prefix unique, prompt DIGEST"""


def masked(text: str) -> str:
    """A failure with times, addresses and hashes replaced."""
    text = re.sub(r" +\d[\d.]* (?:us|ms|s)\b", "  TIME", text)
    text = re.sub(r"( tok/s) +TTFT +E2E", r"\1  TTFT  E2E", text)
    text = re.sub(r"http://[\w.:]+, the embedded engine [^\s,]+", "HOST, the embedded engine VERSION", text)
    text = re.sub(r", waited +TIME for its turn", "", text)
    return re.sub(r"\b[0-9a-f]{12}\b", "DIGEST", text)


SLOWED = {"toy": (200, 202, 198, 199), "other": (100, 101, 99, 88), "spare": (300, 302, 301, 303)}
"""Three runs, and a fourth in which one model is slower."""


def test_exactly_the_slowed_test_fails(gated: Gated, way: tuple[str, ...]) -> None:
    """Only the slowed test fails, with all its evidence, also in JUnit; the worst stands first; the status is 1."""
    gated.before(**SLOWED)
    result = gated.run(*way, *GATED, SAVED, "--junit-xml=j.xml")
    assert result.ret == 1
    result.assert_outcomes(failed=1, passed=2)
    text = failure(result, "test_sky[other]")
    assert masked(text) == WORSE
    (failed,) = [each for case in ET.parse(gated.path / "j.xml").iter("testcase") for each in case.iter("failure")]
    assert failed.text == text
    assert WORSE.splitlines()[0] in failed.attrib["message"]
    assert table(result) == [
        "case             metric         now     before   change    95 % interval  runs  resolves  verdict",
        "test_sky[other]  tok/s   88.0 tok/s  100 tok/s  -12.0 %  -15.5 to -8.3 %     3    6.76 %  worse",
        "test_sky[spare]  tok/s    303 tok/s  301 tok/s   +0.7 %   -2.5 to +4.0 %     3    5.41 %  same",
        "test_sky[toy]    tok/s    199 tok/s  200 tok/s   -0.5 %   -4.5 to +3.6 %     3    6.76 %  same",
    ]


def test_exit_first_and_last_failed_work(gated: Gated, way: tuple[str, ...]) -> None:
    """`-x` stops at the slowed test (status 1, with workers 2), and `--lf` repeats that one with the same verdict."""
    gated.before(**SLOWED)
    first = gated.run(*way, *GATED, "-x", SAVED)
    assert first.ret == (2 if way else 1)
    done = first.parseoutcomes()
    assert done["failed"] == 1
    assert way or done["passed"] == 1
    found = gated.verdicts()["test_sky[other] tok/s"]
    again = gated.run(*way, *GATED, "--lf", SAVED)
    assert (again.ret, again.parseoutcomes()) == (1, {"failed": 1})
    assert gated.verdicts() == {"test_sky[other] tok/s": found}
    assert found["outcome"] == "worse"


def test_which_tests_run_changes_no_verdict(gated: Gated) -> None:
    """One test chosen by `-k` or by its id, and all of them on two workers, are judged as in the whole run."""
    gated.before(**SLOWED)
    gated.run(*GATED, SAVED)
    whole = gated.verdicts()
    assert [each["comparisons"] for each in whole.values()] == [3, 3, 3]
    gated.run(*GATED, SAVED, "-k", "spare")
    assert gated.verdicts() == {"test_sky[spare] tok/s": whole["test_sky[spare] tok/s"]}
    gated.run(*GATED, SAVED, "test_sky.py::test_sky[other]")
    assert gated.verdicts() == {"test_sky[other] tok/s": whole["test_sky[other] tok/s"]}
    gated.run(*GATED, SAVED, "-n", "2")
    assert gated.verdicts() == whole


def test_on_a_narrow_terminal_the_table_is_a_list(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 60 columns and with names that are not short each verdict has lines of its own, worst first, none too long."""
    gated.before(bookkeeper=(200, 200, 199), storyteller=(100, 100, 88))
    monkeypatch.setenv("COLUMNS", "60")
    assert table(gated.run(*GATED)) == [
        "test_sky[storyteller]",
        "  metric tok/s, now 88.0 tok/s, before 100 tok/s, change",
        "  -12.0 %, 95 % interval -16.1 to -7.7 %, runs 2, resolves",
        "  6.11 %, verdict worse",
        "test_sky[bookkeeper]",
        "  metric tok/s, now 199 tok/s, before 200 tok/s, change -0.5",
        "  %, 95 % interval -5.2 to +4.4 %, runs 2, resolves 6.11 %,",
        "  verdict same",
        "2 baseline runs cannot show how much runs differ: an",
        "allowance of 2 % is assumed",
    ]


def test_one_slowed_case_is_not_said_to_be_all_of_them(gated: Gated) -> None:
    """Where one of three cases is slower and the others are as before, nothing is said of all cases together."""
    gated.before(toy=(200, 202, 198, 199), other=(100, 101, 99, 80), spare=(300, 302, 301, 303))
    assert [line for line in table(gated.run(*GATED)) if line.startswith("All ")] == []


def test_a_shift_of_the_whole_suite_is_said_once(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all cases became slower together one line says by how much, and which of them moved most beyond that."""
    gated.before(toy=(200, 202, 198, 100), other=(100, 101, 99, 50), spare=(300, 302, 301, 120))
    monkeypatch.setenv("COLUMNS", "160")
    result = gated.run(*GATED)
    result.assert_outcomes(failed=3)
    assert table(result)[-1] == (
        "All 3 cases became 100.0 % slower together: host or engine, not one of them; relative to that test_sky[spare] "
        "tok/s moved most, +25.4 %"
    )


def test_an_unchanged_run_is_the_same_everywhere(gated: Gated) -> None:
    """A run as fast as those before passes, each of its verdicts is `same`, and nothing more is said."""
    gated.before(toy=(200, 202, 198, 201), other=(100, 101, 99, 100), spare=(300, 302, 301, 300))
    result = gated.run(*GATED, SAVED)
    assert result.ret == 0
    result.assert_outcomes(passed=3)
    names = ["test_sky[toy] tok/s", "test_sky[other] tok/s", "test_sky[spare] tok/s"]
    assert outcomes(gated.verdicts()) == dict.fromkeys(names, "same")
    assert [line.split()[-1] for line in table(result)[1:]] == ["same"] * 3


def test_a_first_run_has_no_baseline(gated: Gated, way: tuple[str, ...]) -> None:
    """Without a saved run every verdict is `no baseline`, which is said before and after the tests; nothing fails."""
    gated.serve(toy=(200,), other=(100,))
    result = gated.run(*way, *GATED, SAVED)
    assert result.ret == 0
    assert "chimera: baseline last:10: there is no saved run yet, so nothing can be compared" in result.outlines
    names = ["test_sky[toy] tok/s", "test_sky[other] tok/s"]
    assert outcomes(gated.verdicts()) == dict.fromkeys(names, "no baseline")
    head, *rows, remark = table(result)
    assert head == "case             metric  now  before  change  95 % interval  runs  resolves  verdict"
    assert sorted(rows) == [
        "test_sky[other]  tok/s                                                       no baseline",
        "test_sky[toy]    tok/s                                                       no baseline",
    ]
    assert remark == "no earlier run has this case"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--chimera-fail-on=tok/s:5%",), "no --chimera-baseline was given"),
        (GATED, "no earlier run has this case"),
    ],
    ids=["none named", "empty storage"],
)
def test_what_cannot_be_compared_fails_only_where_that_is_wanted(
    gated: Gated, options: tuple[str, ...], reason: str
) -> None:
    """Where no baseline is named or none is there the reason is shown; with --chimera-strict it fails the test."""
    gated.serve(toy=(200,))
    (gated.path / ".benchmarks").mkdir()
    result = gated.run(*options)
    assert result.ret == 0
    assert table(result) == [
        "case           metric  now  before  change  95 % interval  runs  resolves  verdict",
        "test_sky[toy]  tok/s                                                       no baseline",
        f"  {reason}",
    ]
    strict = gated.run(*options, "--chimera-strict")
    assert strict.ret == 1
    assert failure(strict, "test_sky[toy]").partition("\n\n")[0].splitlines() == [
        f"tok/s cannot be judged: no baseline: {reason}",
        f"  tok/s: no baseline: {reason}",
    ]


def test_a_baseline_alone_is_for_information(gated: Gated) -> None:
    """Without --chimera-fail-on four metrics are compared, and no test fails, however slow, not even when strict."""
    gated.before(toy=(200, 200, 5))  # slower by more than the noise of the TTFT of a busy machine, which it shares
    result = gated.run(BASELINE, "--chimera-strict", SAVED)
    assert result.ret == 0
    result.assert_outcomes(passed=1)
    verdicts = gated.verdicts()
    assert sorted(verdicts) == [f"test_sky[toy] {metric}" for metric in ("e2e", "prefill", "tok/s", "ttft")]
    assert {each["gated"] for each in verdicts.values()} == {False}
    assert verdicts["test_sky[toy] tok/s"]["outcome"] == "worse"
    assert verdicts["test_sky[toy] prefill"]["outcome"] == "same"
    assert table(result)[1].endswith("  worse (not gated)")


def test_a_limit_of_the_gate_fails_and_spoils_the_run_for_later(gated: Gated, way: tuple[str, ...]) -> None:
    """'tok/s >= 150' fails as a limit does, the run's file says so, and `last:10` passes over that run and says why."""
    gated.serve(toy=(200, 100, 100, 200))
    gated.save(1)
    broken = gated.run(*way, "--chimera-fail-on=tok/s >= 150", "--benchmark-save=base")
    assert broken.ret == 1
    assert failure(broken, "test_sky[toy]").partition("\n\n")[0] == (
        "tok/s >= 150 does not hold: measured 100 tok/s (median of 2 rounds)"
    )
    (file,) = gated.path.glob(".benchmarks/*/0002_base.json")
    rows = gated.rows(str(file))
    assert [row["extra_info"]["chimera"]["gate_broken"] for row in rows] == [["tok/s >= 150"]] * 6
    later = gated.run(*GATED, SAVED)
    assert later.ret == 1
    verdict = gated.verdicts()["test_sky[toy] tok/s"]
    assert [point["run"] for point in verdict["baseline"]] == ["0001_base"]
    assert "left out of the baseline: 0002_base: its own gate failed" in table(later)


MARKED = """
import pytest

@pytest.mark.chimera(gate={"tok/s": "60%"})
def test_wide(chimera):
    chimera("Why is the sky blue?")

@pytest.mark.chimera(gate=None)
def test_free(chimera):
    chimera("Why is the sky blue?")

@pytest.mark.chimera(gate=None)
def test_called(chimera):
    chimera("Why is the sky blue?", gate="tok/s:1%")

@pytest.mark.chimera(gate="tok/s >= 90")
def test_limited(chimera):
    chimera("Why is the sky blue?")

def test_plain(chimera):
    chimera("Why is the sky blue?")

@pytest.mark.xfail(SLOW, reason="known to be slow")
def test_known(chimera):
    chimera("Why is the sky blue?")
"""


def test_a_case_may_have_a_gate_of_its_own(gated: Gated, way: tuple[str, ...]) -> None:
    """The call's gate= is over the marker's and that over the options; None exempts from all of them; xfail holds."""
    gated.project.pytester.makepyfile(test_sky=MARKED.replace("SLOW", "False"))
    gated.serve(requests=6 * REQUESTS, toy=(200, 200, 100))
    gated.save(2)
    gated.project.pytester.makepyfile(test_sky=MARKED.replace("SLOW", "True"))
    result = gated.run(*way, *GATED, "--chimera-fail-on=tok/s >= 150", SAVED)
    assert result.ret == 1
    verdicts = gated.verdicts()
    assert {name: (each["outcome"], each["threshold"]) for name, each in verdicts.items()} == {
        "test_wide[toy] tok/s": ("same", 0.6),
        "test_called[toy] tok/s": ("worse", 0.01),
        "test_plain[toy] tok/s": ("worse", 0.05),
        "test_known[toy] tok/s": ("worse", 0.05),
    }
    result.assert_outcomes(failed=2, passed=3, xfailed=1)
    failed = {line.split()[1] for line in result.outlines if line.startswith("FAILED ")}
    assert failed == {"test_sky.py::test_called[toy]", "test_sky.py::test_plain[toy]"}
    lines = failure(result, "test_plain[toy]").splitlines()
    assert lines[:2] == [
        "tok/s >= 150 does not hold: measured 100 tok/s (median of 2 rounds)",
        "  tok/s is 50.0 % lower than before: 100 tok/s now (median of 2 rounds), 200 tok/s before (2 runs)",
    ]


def test_a_case_that_was_slow_once_is_confirmed_to_be_the_same(gated: Gated, way: tuple[str, ...]) -> None:
    """--chimera-confirm measures it again, loaded anew; it passes, both are shown, and no baseline has the second."""
    gated.serve(toy=(200, 200, 100, 198, 200), other=(100,))
    gated.save(2)
    result = gated.run(*way, *GATED, "--chimera-confirm", SAVED)
    assert result.ret == 0
    result.assert_outcomes(passed=2)
    verdict = gated.verdicts()["test_sky[toy] tok/s"]
    assert (verdict["outcome"], round(verdict["now"]), round(verdict["second"]["value"])) == ("same", 100, 198)
    assert (verdict["second"]["rounds"], verdict["second"]["confirmed"]) == (2, False)
    assert table(result)[1:] == [
        "test_sky[toy]    tok/s   100 tok/s  200 tok/s  -50.0 %  -52.3 to -47.5 %     2    6.11 %  same",
        "  measured again: 198 tok/s (-1.0 %), not confirmed",
        "  it was worse at first, and not when it was measured again",
        "test_sky[other]  tok/s   100 tok/s  100 tok/s   +0.0 %    -4.7 to +4.9 %     2    6.11 %  same",
        "2 baseline runs cannot show how much runs differ: an allowance of 2 % is assumed",
    ]
    rows = [row for row in gated.rows() if row["extra_info"]["chimera"]["confirms"] is not None]
    assert [row["fullname"] for row in rows] == [
        f"test_sky.py::test_sky[toy] (again) {metric}"
        for metric in ("ttft", "prompt_eval", "eval", "time/token", "load", "e2e")
    ]
    info = rows[0]["extra_info"]["chimera"]
    assert (info["confirms"], info["verdicts"]) == ("test_sky.py::test_sky[toy]", [])
    assert [(each["warmup"], each["cold"], each["counted"]) for each in info["rounds"]] == [
        (True, True, False), (False, False, True), (False, False, True),
    ]  # fmt: skip
    (gated.path / "x.json").rename(gated.path / "before.json")
    gated.run("--chimera-baseline=before.json", "--chimera-fail-on=tok/s:5%", SAVED)
    later = gated.verdicts()
    assert sorted(later) == ["test_sky[other] tok/s", "test_sky[toy] tok/s"]
    assert round(later["test_sky[toy] tok/s"]["before"]) == 100


def test_a_case_that_stays_slow_is_confirmed_and_fails(gated: Gated) -> None:
    """The failure and the table say that it was measured again and confirmed, and JUnit has its properties once."""
    gated.serve(toy=(200, 200, 100, 104))
    gated.save(2)
    result = gated.run(*GATED, "--chimera-confirm", "--junit-xml=j.xml")
    assert result.ret == 1
    text = failure(result, "test_sky[toy]")
    assert text.splitlines()[:4] == [
        "tok/s is 50.0 % lower than before: 100 tok/s now (median of 2 rounds), 200 tok/s before (2 runs)",
        (
            "  tok/s: worse, -50.0 %, 95 % interval -52.3 to -47.5 %, allowed 5 %, noise explains up to 5.54 %, "
            "p < 0.0001 over 1 comparison"
        ),
        "    measured again: 104 tok/s (-48.0 %), confirmed",
        "    2 baseline runs cannot show how much runs differ: an allowance of 2 % is assumed",
    ]
    assert table(result)[2] == "  measured again: 104 tok/s (-48.0 %), confirmed"
    names = [each.attrib["name"] for each in ET.parse(gated.path / "j.xml").iter("property")]
    assert names == ["ttft_ms", "tok_s", "prefill_tok_s", "e2e_ms", "output_tokens", "rounds"]


def test_a_run_without_benchmarks_has_no_verdicts(gated: Gated) -> None:
    """--benchmark-disable compares nothing and fails nothing: one round is too few."""
    gated.before(toy=(200, 200, 100))
    result = gated.run(*GATED, "--chimera-fail-on=tok/s >= 150", "--chimera-strict", "--benchmark-disable")
    assert result.ret == 0
    assert table(result) == []
    assert [line for line in result.outlines if "baseline" in line and "--chimera-baseline" not in line] == []


def test_the_gate_works_without_pytest_benchmark(gated: Gated) -> None:
    """With `-p no:benchmark` saved runs are found by path and in the usual folder, and the slowed case fails."""
    gated.before(toy=(200, 200, 100))
    (folder,) = (gated.path / ".benchmarks").iterdir()
    for baseline in (f"{folder}/0001_base.json", "last:10", "0002"):
        result = gated.project.run(
            *QUICK[:3], "-p", "no:benchmark", f"--chimera-baseline={baseline}", "--chimera-fail-on=tok/s:5%",
            model="toy",
        )  # fmt: skip
        assert result.ret == 1
        assert table(result)[1].endswith("worse")


INTERRUPTED = """
import os, signal

class Watcher:
    def __init__(self, observer):
        self.observer = observer

    def __getattr__(self, name):
        return getattr(self.observer, name)

    def round_done(self, case, done):
        if done.number == 2 and os.path.exists("end"):
            os.kill(os.getpid(), signal.SIGINT)

def test_first(chimera):
    chimera("Why is the sky blue?")

def test_second(chimera):
    chimera.runner.observer = Watcher(chimera.runner.observer)
    chimera("Why is the sky blue?", rounds=3)
"""


def test_an_interrupted_run_shows_what_was_judged(gated: Gated) -> None:
    """After Ctrl-C the finished case has its verdict, the interrupted one none, and a later run leaves its rows out."""
    gated.project.pytester.makepyfile(test_sky=INTERRUPTED)
    gated.serve(toy=(200,))
    gated.save(2)
    (gated.path / "end").touch()
    result = gated.run(*GATED, "--benchmark-save=base", process=True)
    assert result.ret == 2
    (file,) = gated.path.glob(".benchmarks/*/0003_base.json")
    assert outcomes(gated.verdicts(str(file))) == {"test_first[toy] tok/s": "same"}
    assert [line.split()[0] for line in table(result) if "[toy]" in line] == ["test_first[toy]"]
    (gated.path / "end").unlink()
    later = gated.run(*GATED, SAVED)
    assert later.ret == 0
    runs = {name: [point["run"] for point in each["baseline"]] for name, each in gated.verdicts().items()}
    assert runs == {
        "test_first[toy] tok/s": ["0001_base", "0002_base", "0003_base"],
        "test_second[toy] tok/s": ["0001_base", "0002_base"],
    }
    assert table(later)[-1] == "left out of the baseline: 0003_base: the case was interrupted"


CONFIRMING = INTERRUPTED.replace("done.number == 2", "case.confirms is not None")


def test_what_was_being_confirmed_at_the_interruption_is_in_no_baseline(gated: Gated) -> None:
    """After Ctrl-C in the second measurement of a case that was found worse, no later run takes the first as good."""
    gated.project.pytester.makepyfile(test_sky=CONFIRMING)
    gated.serve(requests=7, toy=(200, 200, 100))
    gated.save(2)
    (gated.path / "end").touch()
    result = gated.run(*GATED, "--chimera-confirm", "--benchmark-save=base", "-k", "second", process=True)
    assert result.ret == 2
    assert any(line.startswith("test_second[toy] (again)") for line in result.outlines)
    (gated.path / "end").unlink()
    gated.run(*GATED, SAVED)
    verdict = gated.verdicts()["test_second[toy] tok/s"]
    assert [point["run"] for point in verdict["baseline"]] == ["0001_base", "0002_base"]


def test_what_was_judged_in_an_interrupted_test_is_shown(gated: Gated) -> None:
    """After Ctrl-C in the second call of a test its first case has its verdict."""
    calls = 'chimera("Why is the sky blue?")\n    chimera("Why is the sky blue?", rounds=3)'
    gated.project.pytester.makepyfile(
        test_sky=INTERRUPTED.replace('chimera("Why is the sky blue?", rounds=3)', calls).replace("== 2", "== 3")
    )
    gated.serve(toy=(200,))
    gated.save(2)
    (gated.path / "end").touch()
    result = gated.run(*GATED, SAVED, process=True)
    assert result.ret == 2
    names = ["test_first[toy] tok/s", "test_second[toy] tok/s"]
    assert outcomes(gated.verdicts()) == dict.fromkeys(names, "same")
    assert [line.split()[0] for line in table(result) if "[toy]" in line] == [name.split()[0] for name in names]


def test_the_report_has_the_comparison(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report has a section whose numbers lead to facts, and the summary page of a CI job has the table."""
    gated.before(**SLOWED)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(gated.path / "summary.md"))
    quick = [each for each in QUICK if each != "--chimera-no-report"]
    gated.project.run(*quick, *GATED, model=gated.models)
    report = (gated.path / ".chimera" / "report.md").read_text(encoding="utf-8")
    section = report.partition("\n## Comparison with the Baseline\n")[2].partition("\n## ")[0]
    links = re.findall(r"\[([^]]+)\]\[(F[0-9a-f]{10})\]", section)
    assert [text for text, _ in links[:6]] == ["88.0 tok/s", "100 tok/s", "-12.0 %", "-15.5 %", "-8.3 %", "6.76 %"]
    assert len(links) == len({fact for _, fact in links}) == 3 * 6
    assert [fact for _, fact in links if f'\n[{fact}]: #{fact.lower()} "' not in report] == []
    assert [fact for _, fact in links if f'<a id="{fact.lower()}"></a>{fact}' not in report] == []
    summary = (gated.path / "summary.md").read_text(encoding="utf-8")
    assert summary.partition("\n### Comparison with the Baseline\n\n")[2].partition("\n\n")[0] == SUMMARY


SUMMARY = """\
| case | metric | now | before | change | 95 % interval | runs | resolves | verdict |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| test_sky\\[other\\] | tok/s | 88.0 tok/s | 100 tok/s | -12.0 % | -15.5 to -8.3 % | 3 | 6.76 % | worse |
| test_sky\\[spare\\] | tok/s | 303 tok/s | 301 tok/s | +0.7 % | -2.5 to +4.0 % | 3 | 5.41 % | same |
| test_sky\\[toy\\] | tok/s | 199 tok/s | 200 tok/s | -0.5 % | -4.5 to +3.6 % | 3 | 6.76 % | same |"""
