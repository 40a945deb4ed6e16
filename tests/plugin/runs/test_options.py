"""The options: each with its twins, their order of precedence, and how a wrong value is refused."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from pytest_chimera.errors import SettingError
from pytest_chimera.gate.rule import ALLOWANCE
from pytest_chimera.plugin.options import TABLE, Given, from_plain, to_plain
from pytest_chimera.plugin.settings import resolve
from pytest_chimera.records import DEFAULT_PREFIX, DEFAULT_ROUNDS, DEFAULT_TIMEOUT_S, DEFAULT_WARMUP

ALL = {
    "model": ["a,b", "c"],
    "host": ["box:1"],
    "option": ["num_ctx=512"],
    "allow_option": ["new_one"],
    "header": ["X-A=b=c"],
    "rounds": ["3"],
    "warmup": ["0"],
    "timeout": ["2 min"],
    "prefix": ["reuse"],
    "think": ["low"],
    "persona": ["insight-agent"],
    "limit": ["tok/s >= 30"],
    "baseline": ["last:5"],
    "fail_on": ["tok/s:5%", "ttft <= 2 s"],
    "strict": ["on"],
    "confirm": ["on"],
    "compare_anyway": ["on"],
    "allowance": ["3 %"],
    "max_requests": ["200"],
    "pull": ["on"],
    "engine": ["ollama"],
    "list": ["off"],
    "report": ["out"],
    "no_report": ["yes"],
    "corpus": ["reports/", "csv/*.csv"],
    "vocabulary": ["words.yaml"],
    "corpus_stream": ["on"],
    "scheduler": ["tcp://127.0.0.1:8786"],
    "no_narrative": ["on"],
    "rename_plan": ["plan.csv"],
    "audit": ["on"],
    "audit_glob": ["*.md", "*.markdown"],
    "audit_fail": ["contradicted,unsupported"],
    "audit_json": ["audit.json"],
}
REFUSED = {
    "rounds=0": "--chimera-rounds: '0' is not usable. Accepted: a whole number from 1.",
    "warmup=-1": "--chimera-warmup: '-1' is not usable. Accepted: a whole number from 0.",
    "timeout=0 s": "--chimera-timeout: '0 s' is not usable. Accepted: a duration above 0, such as '90 s'.",
    "prefix=uniq": "--chimera-prefix: 'uniq' is not known. Accepted: unique, reuse. Did you mean 'unique'?",
    "max_requests=0": "--chimera-max_requests: '0' is not usable. Accepted: a whole number from 1.",
    "think=maybe": (
        "--chimera-think: 'maybe' is not known. Accepted: on, true, yes, 1, off, false, no, 0, low, medium, high, max."
    ),
    "engine=llama": "--chimera-engine: 'llama' is not known. Accepted: auto, ollama, embedded. Did you mean 'ollama'?",
    "header=bla": "--chimera-header: 'bla' is not a header. Accepted: NAME=VALUE on one line.",
    "option=num_ctxx=512": (
        "--chimera-option: 'num_ctxx' is not an option that Ollama knows; it would ignore it without a word. "
        "Known options: draft_num_predict, frequency_penalty, main_gpu, min_p, num_batch, num_ctx, num_gpu, num_keep, "
        "num_predict, num_thread, presence_penalty, repeat_last_n, repeat_penalty, seed, stop, temperature, top_k, "
        "top_p, typical_p, use_mmap. Did you mean 'num_ctx'?"
    ),
    "baseline=last:0": (
        "--chimera-baseline: 'last:0' is no run at all. Accepted: a run number or prefix, a path or glob of JSON "
        "files, last, last:K, branch:NAME. Write it as in 'last:10'."
    ),
    "fail_on=tok/z:5%": (
        "--chimera-fail_on: The gate 'tok/z:5%' names no known metric: 'tok/z'. Known metrics: ttft, answer, "
        "prompt_eval, prefill, eval, tok/s, steps/s, time/token, itl, load, wait, total, e2e, server_ttft, transport, "
        "stalls, prompt_tokens, output_tokens, groundedness, accuracy. Did you mean 'tok/s'?"
    ),
    "fail_on=tok/s:-5%": (
        "--chimera-fail_on: The gate 'tok/s:-5%' has a threshold below zero: '-5%'. Accepted: a percentage from 0, "
        "with its %. Write it as in 'tok/s:5%', 'ttft.p95:20%' or 'tok/s >= 40'."
    ),
    "audit_fail=wrong": (
        "--chimera-audit_fail: 'wrong' is not known. Accepted: contradicted, misattributed, ambiguous, supported, "
        "unsupported, not checkable."
    ),
    "allowance=0%": "--chimera-allowance: '0%' is not usable. Accepted: a percentage above 0 and below 100.",
    "host=ftp://x": (
        "--chimera-host: 'ftp://x' is not the address of a server: the scheme 'ftp' is unknown. Accepted: HOST, "
        "HOST:PORT, :PORT, or http(s)://HOST:PORT/PATH. Set it with --chimera-host or OLLAMA_HOST, as in "
        "'http://127.0.0.1:11434'."
    ),
}


def given(**values: list[str]) -> Any:
    """Raw strings as a command line gives them."""
    return {name: [Given(tuple(each), f"--chimera-{name}")] for name, each in values.items()}


def test_each_option_has_a_value_of_its_type() -> None:
    """Strings of every option become values, and the settings survive pickling."""
    settings = resolve(given(**ALL))
    assert (settings.model, settings.host, settings.option) == (("a", "b", "c"), "box:1", {"num_ctx": 512})
    assert (settings.allow_option, settings.header) == (("new_one",), {"X-A": "b=c"})
    assert (settings.rounds, settings.warmup, settings.timeout) == (3, 0, 120.0)
    assert (settings.persona, settings.max_requests, settings.list) == ("insight-agent", 200, False)
    assert (settings.prefix, settings.think, settings.limit) == ("reuse", "low", ("tok/s >= 30",))
    assert (settings.baseline, settings.fail_on) == (("last:5",), ("tok/s:5%", "ttft <= 2 s"))
    assert (settings.strict, settings.confirm, settings.compare_anyway, settings.allowance) == (True, True, True, 0.03)
    assert (settings.pull, settings.engine, settings.report, settings.no_report) == (True, "ollama", Path("out"), True)
    assert (settings.corpus, settings.vocabulary) == (("reports/", "csv/*.csv"), Path("words.yaml"))
    assert (settings.corpus_stream, settings.scheduler) == (True, "tcp://127.0.0.1:8786")
    assert (settings.no_narrative, settings.rename_plan) == (True, Path("plan.csv"))
    assert (settings.audit, settings.audit_glob) == (True, ("*.md", "*.markdown"))
    assert (settings.audit_fail, settings.audit_json) == (("contradicted", "unsupported"), Path("audit.json"))
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_the_help_names_the_defaults_that_hold() -> None:
    """The numbers and words in the help are those of a case for which nobody says anything."""
    told = {each.name: each.help.rpartition("(default: ")[2].removesuffix(")") for each in TABLE}
    defaults = [str(DEFAULT_ROUNDS), str(DEFAULT_WARMUP), f"{DEFAULT_TIMEOUT_S:g} s", DEFAULT_PREFIX]
    assert [told[name] for name in ("rounds", "warmup", "timeout", "prefix")] == defaults


def test_the_strongest_source_wins_and_keyed_options_add_up() -> None:
    """One value replaces another as a whole; model options and headers are merged by name, the strongest on top."""
    raw = {
        "rounds": [Given(("3",), "--chimera-rounds"), Given(("4",), "CHIMERA_ROUNDS")],
        "option": [Given(("seed=1",), "--chimera-option"), Given(("seed=2", "num_ctx=512"), "chimera_option in x")],
        "header": [Given(("a=1",), "--chimera-header"), Given(("b=2",), "CHIMERA_HEADER")],
    }
    settings = resolve(raw)
    assert (settings.rounds, settings.option) == (3, {"seed": 1, "num_ctx": 512})
    assert settings.header == {"a": "1", "b": "2"}
    assert settings.given["rounds"].source == "--chimera-rounds"


def test_two_spellings_of_a_model_are_one() -> None:
    """The first spelling is kept, in its place."""
    assert resolve(given(model=["gemma3,qwen3:0.6b", "gemma3:latest,Gemma3"])).model == ("gemma3", "qwen3:0.6b")


def test_an_unknown_option_of_the_model_can_be_let_through() -> None:
    """What --chimera-allow-option names is sent as it is."""
    assert resolve(given(option=["new_one=[1]"], allow_option=["new_one"])).option == {"new_one": [1]}


def test_raw_strings_reach_a_worker_as_they_were_given() -> None:
    """What is sent holds lists and strings only, and comes back equal."""
    raw = given(**ALL)
    assert from_plain(to_plain(raw)) == raw


@pytest.mark.parametrize("option", REFUSED)
def test_a_wrong_value_is_refused_in_three_parts(option: str) -> None:
    """The text names the source, what came in, what is accepted, and what to do."""
    name, _, value = option.partition("=")
    with pytest.raises(SettingError) as caught:
        resolve(given(**{name: [value]}))
    assert str(caught.value) == REFUSED[option]


@pytest.mark.parametrize("name", [each.name for each in TABLE])
def test_every_option_has_its_twins(project: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each option can be set by its ini line and by its variable, and the header names whichever did it."""
    setting = next(each for each in TABLE if each.name == name)
    values = ALL[setting.field]
    project.pytester.makepyfile(test_plain="def test_plain():\n    pass\n")
    project.pytester.makeini("[pytest]\n" + f"{setting.ini} =\n" + "".join(f"    {value}\n" for value in values))
    if name == "option":
        monkeypatch.setenv("CHIMERA_ALLOW_OPTION", "new_one")
    assert f"({setting.ini} in tox.ini)" in project.run(model="").stdout.str()
    monkeypatch.setenv(setting.env, ";".join(values))
    assert f"({setting.env})" in project.run(model="").stdout.str()


def test_the_command_line_stands_over_environment_and_ini(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The strongest source is the one that the header names, and the one that counts, in workers too."""
    project.pytester.makepyfile(test_it="def test_it(chimera):\n    assert chimera('Hello').result.case.rounds == 2\n")
    project.pytester.makeini("[pytest]\nchimera_rounds = 4\n")
    monkeypatch.setenv("CHIMERA_ROUNDS", "3")
    for way in ((), ("-n", "2")):
        result = project.run("--chimera-rounds=2", "-p", "no:benchmark", *way)
        assert result.ret == 0
        assert "rounds 2 (--chimera-rounds)" in result.stdout.str()


@pytest.mark.parametrize("way", [(), ("-n", "2")], ids=["alone", "n2"])
def test_a_wrong_option_ends_the_run_at_once_with_status_4(project: Any, way: tuple[str, ...]) -> None:
    """It is a usage error before anything is collected, with the text and nothing else."""
    project.pytester.makepyfile(test_plain="def test_plain():\n    pass\n")
    result = project.run("--chimera-rounds=x", *way, model="", process=True)
    assert result.ret == 4
    assert result.errlines == ["ERROR: --chimera-rounds: 'x' is not usable. Accepted: a whole number from 1.", ""]
    assert [line for line in result.outlines if line] == []


def test_reports_go_where_they_are_asked_to(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder on the command line counts from where pytest runs, one in the ini file from the root; or none at all."""
    project.pytester.makepyfile(test_it="def test_it(chimera):\n    chimera('Hello', rounds=1)\n")
    project.pytester.makeini("[pytest]\nchimera_report = from-ini\n")
    below = project.pytester.mkdir("below")
    monkeypatch.chdir(below)
    quiet = ("-p", "no:benchmark", "--rootdir", str(project.path), str(project.path))
    project.run(*quiet)
    assert (project.path / "from-ini" / "report.md").is_file()
    project.run(*quiet, "--chimera-report=mine")
    assert (below / "mine" / "report.md").is_file()
    lines = project.ours(project.run(*quiet, "--chimera-no-report", "--chimera-report=none"))
    assert not (below / "none").exists()
    assert lines[-1] == "test_it[toy]  TIME  500  200  TIME  1  0  0"


def test_the_summary_page_of_a_ci_job_gets_the_short_report(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where GITHUB_STEP_SUMMARY names a file, the short form is appended to it."""
    project.pytester.makepyfile(test_it="def test_it(chimera):\n    chimera('Hello', rounds=1)\n")
    page = project.path / "page.md"
    page.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    project.run("-p", "no:benchmark")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert "toy:latest" in text


def test_the_help_names_the_allowance_of_the_rule() -> None:
    """The percentage in the help is that of the rule."""
    assert next(each.help for each in TABLE if each.name == "allowance").endswith(f"(default: {ALLOWANCE:.0%})")


def test_help_keeps_the_rules_for_its_texts() -> None:
    """Each text begins with a capital and ends without a full stop."""
    assert [each.name for each in TABLE if not each.help[0].isupper() or each.help.endswith(".")] == []
