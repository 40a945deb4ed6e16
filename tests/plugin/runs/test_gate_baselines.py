"""Which saved runs a run is compared with, as its options name them, and what is not the same case."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import pytest_chimera.plugin.closing
import pytest_chimera.plugin.record
import pytest_chimera.plugin.runners  # noqa: F401  # runs in this process forget what they imported, but not these three
from pytest_chimera.engine.process import EmbeddedEngine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK = ("--chimera-rounds=2", "--chimera-warmup=1", "--chimera-no-report", "--benchmark-columns=median")
FAIL = "--chimera-fail-on=tok/s:5%"
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
SPEEDS = {"0001_base": 200, "0002_base": 204, "0003_slow": 100, "0004_base": 196}
"""The tok/s of each run in the storage; the gate of 0003 failed."""
FAILED = "0003_slow: its own gate failed"


class Storage:
    """A project whose storage has four runs, and a server on which nothing has changed since."""

    def __init__(self, project: Any, host: str, files: dict[str, str]) -> None:
        """`files` are the texts of the saved runs by name."""
        self.project = project
        self.path: Path = project.path
        project.host = host
        project.pytester.makepyfile(test_sky=SKY)
        self.folder = self.path / ".benchmarks" / files.pop("machine")
        self.folder.mkdir(parents=True)
        for name, text in files.items():
            (self.folder / f"{name}.json").write_text(text, encoding="utf-8")

    def run(self, *args: str, **more: Any) -> pytest.RunResult:
        """Run pytest over the project."""
        result: pytest.RunResult = self.project.run(*QUICK, SAVED, *args, **more)
        return result

    def refused(self, *args: str) -> str:
        """What a run says that ends before any case because of its baseline."""
        result = self.project.run(*QUICK, FAIL, *args)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert "chimera: median per case and model" not in result.stdout.str()
        return "\n".join(line.replace(str(self.path), "ROOT") for line in result.errlines if line)

    def verdicts(self) -> dict[str, dict[str, Any]]:
        """The verdicts of the last run by metric."""
        rows = json.loads((self.path / "x.json").read_text(encoding="utf-8"))["benchmarks"]
        return {each["metric"]: each for row in rows for each in row["extra_info"]["chimera"]["verdicts"]}

    def used(self, *baseline: str, more: tuple[str, ...] = ()) -> list[str]:
        """The runs that tok/s is compared with under these options --chimera-baseline."""
        result = self.run(*(f"--chimera-baseline={each}" for each in baseline), FAIL, *more)
        assert result.ret in {0, 1}
        return [point["run"] for point in self.verdicts()["tok/s"]["baseline"]]


def answer(tok_s: float) -> dict[str, Any]:
    """An answer of ten tokens that is reported to have come at this speed."""
    eval_ns = round(10 / tok_s * 1e9)
    report = {
        "total_duration": eval_ns + 50_000_000, "load_duration": 2_000_000, "prompt_eval_count": 20,
        "prompt_eval_duration": 40_000_000, "eval_count": 10, "eval_duration": eval_ns,
    }  # fmt: skip
    return {"tokens": "Because of its molecules.", "report": report}


def script(*speeds: float, requests: int = 3) -> dict[str, Any]:
    """A model that answers so many requests at each speed, and at the last one for ever."""
    answers = [answer(each) for each in speeds for _ in range(requests)]
    return {"models": {"toy": {"answers": answers, "after_last": "last"}}}


@pytest.fixture(scope="module")
def servers() -> Iterator[contextlib.ExitStack]:
    """What stops every server in the end."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def server(servers: contextlib.ExitStack) -> str:
    """A server for the four saved runs, and for all later ones at 200 tok/s."""
    return servers.enter_context(EmbeddedEngine.scripted(script(*SPEEDS.values(), 200))).url


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """The saved runs, once they were made."""
    return {}


@pytest.fixture
def storage(project: Any, server: str, files: dict[str, str]) -> Storage:
    """A project with four saved runs; the first test that needs them makes them."""
    project.pytester.makeconftest(MACHINE)
    if not files:
        project.pytester.makepyfile(test_sky=SKY)
        project.host = server
        for name in SPEEDS:
            gate = ("--chimera-baseline=last:5", FAIL) if name.endswith("slow") else ()
            project.run(*QUICK, *gate, f"--benchmark-save={name[5:]}")
        (machine,) = (project.path / ".benchmarks").iterdir()
        files |= {file.stem: file.read_text(encoding="utf-8") for file in machine.iterdir()}
        assert sorted(files) == list(SPEEDS)
        files["machine"] = machine.name
        shutil.rmtree(project.path / ".benchmarks")
    return Storage(project, server, dict(files))


def remarks(result: pytest.RunResult) -> list[str]:
    """The table of verdicts and what stands below it, cut at blanks; without its head."""
    lines = result.outlines
    begin = next((i for i, line in enumerate(lines) if " chimera: against the baseline " in line), len(lines)) + 2
    end = next((i for i in range(begin, len(lines)) if re.match("===|!!!|report:", lines[i])), len(lines))
    return [re.sub(" {2,}", "  ", line) for line in lines[begin:end]]


def test_last_takes_the_newest_runs_whose_gate_passed(storage: Storage, way: tuple[str, ...]) -> None:
    """`last:2` leaves out the newer run whose gate failed and says so, before and after the tests."""
    result = storage.run(*way, "--chimera-baseline=last:2", FAIL)
    assert result.ret == 0
    verdict = storage.verdicts()["tok/s"]
    assert [(each["run"], round(each["value"])) for each in verdict["baseline"]] == [
        ("0002_base", 204),
        ("0004_base", 196),
    ]
    assert verdict["left_out"] == [FAILED]
    assert f"left out of the baseline: {FAILED}" in remarks(result)
    assert "chimera: baseline last:2: 4 runs, 0001_base to 0004_base" in result.outlines


@pytest.mark.parametrize(
    ("baseline", "runs"),
    [
        (("last",), "0004"),
        (("last:10",), "0001 0002 0004"),
        (("3",), "0003"),
        (("0002",), "0002"),
        (("0002_b",), "0002"),
        (("0001,0004",), "0001 0004"),
        (("0004", "0001"), "0001 0004"),
        (("MACHINE/0002",), "0002"),
        ((".benchmarks/MACHINE/0001_base.json",), "0001"),
        ((".benchmarks/*/*_base.json",), "0001 0002 0004"),
        ((".benchmarks/",), "0001 0002 0003 0004"),
        (("*_slow",), "0003"),
        (("000*", "last:2"), "0002 0004"),
    ],
)
def test_ways_to_name_runs(storage: Storage, baseline: tuple[str, ...], runs: str) -> None:
    """A number, prefix, path, glob or folder means these runs, oldest first; what is named may have failed its gate."""
    names = [each.replace("MACHINE", storage.folder.name) for each in baseline]
    assert [run[:4] for run in storage.used(*names)] == runs.split()


def test_another_storage_is_looked_into(storage: Storage) -> None:
    """With --benchmark-storage numbers and `last` mean the runs in that folder, however it is written."""
    (storage.path / "kept").mkdir()
    storage.folder.rename(storage.path / "kept" / storage.folder.name)
    shutil.copytree(storage.path / "kept" / storage.folder.name, storage.folder)
    for name in ("0001_base", "0002_base"):
        (storage.folder / f"{name}.json").unlink()
    assert storage.used("0002", more=("--benchmark-storage=kept",)) == ["0002_base"]
    assert storage.used("last:2", more=("--benchmark-storage=file://kept",)) == ["0002_base", "0004_base"]
    assert storage.used("last:2") == ["0004_base"]


def test_a_path_counts_from_where_it_is_written(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path of the ini file counts from its folder, one of the command line from where pytest was called."""
    shutil.copy(storage.folder / "0001_base.json", storage.path / "one.json")
    (storage.path / "inner").mkdir()
    shutil.copy(storage.folder / "0002_base.json", storage.path / "inner" / "two.json")
    storage.project.pytester.makeini("[pytest]\nchimera_baseline = one.json\nchimera_fail_on = tok/s:5%\n")
    monkeypatch.chdir(storage.path / "inner")
    saved = f"--benchmark-json={storage.path / 'x.json'}"
    assert storage.run(saved, "..").ret == 0
    assert [each["run"] for each in storage.verdicts()["tok/s"]["baseline"]] == ["one"]
    assert storage.run(saved, "--chimera-baseline=two.json", "..").ret == 0
    assert [each["run"] for each in storage.verdicts()["tok/s"]["baseline"]] == ["two"]


def test_a_branch_means_the_runs_saved_on_it(project: Any, servers: contextlib.ExitStack) -> None:
    """`branch:main` takes the runs that were saved there and none of another branch."""
    git = shutil.which("git") or pytest.skip("needs git")
    project.host = servers.enter_context(EmbeddedEngine.scripted(script(200, 100, 199))).url
    project.pytester.makepyfile(test_sky=SKY)

    def run_git(*args: str) -> None:
        subprocess.run([git, *args], cwd=project.path, check=True, capture_output=True)

    run_git("init", "-b", "main")
    run_git("config", "user.name", "Tester")
    run_git("config", "user.email", "tester@example.org")
    run_git("add", "test_sky.py")
    run_git("commit", "-m", "Begin")
    project.run(*QUICK, "--benchmark-save=base")
    run_git("checkout", "-b", "feature")
    project.run(*QUICK, "--benchmark-save=base")
    for branch, status, change in (("main", 0, "-0.5 %"), ("feature", 0, "+99.0 %"), ("release", 0, None)):
        result = project.run(*QUICK, f"--chimera-baseline=branch:{branch}", FAIL)
        assert result.ret == status
        assert change is None or change in remarks(result)[0]
    assert remarks(result)[0] == "test_sky[toy]  tok/s  no baseline"


UNKNOWN = """\
ERROR: No saved run is called '0099' in 'ROOT/.benchmarks'. The storage has 0001_base.json, 0002_base.json, \
0003_slow.json, 0004_base.json. Accepted: a run number or prefix, a path or glob of JSON files, last, last:K, \
branch:NAME. Save one with --benchmark-save=NAME or --benchmark-autosave; a first run may use 'last'."""
NO_FILE = """\
ERROR: There is no saved run 'none.json'. Accepted: a run number or prefix, a path or glob of JSON files, last, \
last:K, branch:NAME. For a first run without a baseline use 'last' or a glob, which may find nothing."""


def test_a_run_that_is_not_there_is_a_usage_error(storage: Storage, way: tuple[str, ...]) -> None:
    """An unknown number ends the run before any case, with status 4 and what there is."""
    assert storage.refused(*way, "--chimera-baseline=0099") == UNKNOWN


def test_a_path_that_leads_nowhere_is_a_usage_error(storage: Storage) -> None:
    """A mistyped path ends the run with status 4; a glob and a storage that is not there find nothing instead."""
    assert storage.refused("--chimera-baseline=none.json") == NO_FILE
    assert storage.used("none*.json") == []
    assert storage.used("last:3", more=("--benchmark-storage=nowhere",)) == []


def test_a_damaged_file_is_passed_over_or_refused(storage: Storage) -> None:
    """`last` passes over a damaged file by name; a run that names it ends with status 4 and the reason."""
    damaged = storage.folder / "0004_base.json"
    damaged.write_text(damaged.read_text(encoding="utf-8")[:1000], encoding="utf-8")
    name = f".benchmarks/{storage.folder.name}/0004_base.json"
    problem = f"The saved run 'ROOT/{name}' is damaged: it is not JSON to its end ("
    result = storage.run("--chimera-baseline=last:2", FAIL)
    assert result.ret == 0
    said = [line.replace(str(storage.path), "ROOT") for line in result.outlines if "Passed over" in line]
    assert [line.partition("(")[0] + "(" for line in said] == [f"chimera: Passed over: {problem}"]
    assert [each["run"] for each in storage.verdicts()["tok/s"]["baseline"]] == ["0001_base", "0002_base"]
    for named in ("0004", name):
        text = storage.refused(f"--chimera-baseline={named}")
        assert text.startswith(f"ERROR: {problem}")
        assert text.endswith("). Name another file, or leave it out.")


ASSUMED = "2 baseline runs cannot show how much runs differ: an allowance of 2 % is assumed"


WINDOW = ("num_ctx as loaded 2048 instead of 4096",)


@pytest.mark.parametrize(
    ("test", "options", "difference", "also"),
    [
        (SKY, ("--chimera-option=temperature=0.5",), "option temperature 0.5 instead of not set", ()),
        (SKY, ("--chimera-option=num_ctx=2048",), "option num_ctx 2048 instead of 4096", WINDOW),
        (SKY, ("--chimera-prefix=reuse",), "prefix reuse instead of unique; nonce none instead of xxxxxxxx", ()),
        (SKY.replace("blue", "grey"), (), "prompt a6f11c54a0eb instead of a32c6059dae4", ()),
    ],
    ids=["new option", "other option", "prefix", "prompt"],
)
def test_another_case_is_not_comparable(
    storage: Storage, test: str, options: tuple[str, ...], difference: str, also: tuple[str, ...]
) -> None:
    """What defines a case must agree: else its verdict names what changed, and only --chimera-strict fails it."""
    storage.project.pytester.makepyfile(test_sky=test)
    compared = ("--chimera-baseline=0002,0004", FAIL, *options)
    result = storage.run(*compared)
    assert result.ret == 0
    assert remarks(result) == ["test_sky[toy]  tok/s  not comparable", f"  it is not the same case: {difference}"]
    assert storage.run(*compared, "--chimera-strict").ret == 1
    anyway = storage.run(*compared, "--chimera-compare-anyway")
    assert anyway.ret == 0
    assert remarks(anyway) == [
        "test_sky[toy]  tok/s  200 tok/s  200 tok/s  +0.0 %  -6.5 to +7.0 %  2  7.74 %  same",
        f"  {ASSUMED}",
        *(f"  differs from the baseline: {each}" for each in (*difference.split("; "), *also)),
    ]


def test_another_model_under_the_same_name_is_compared_and_named(
    storage: Storage, servers: contextlib.ExitStack
) -> None:
    """A model with another digest is judged, as the change that one may want to see, and both digests are shown."""
    storage.project.host = servers.enter_context(EmbeddedEngine.scripted(script(150))).url
    result = storage.run("--chimera-baseline=0002,0004", FAIL)
    assert result.ret == 1
    row, assumed, digests = remarks(result)
    assert row == "test_sky[toy]  tok/s  150 tok/s  200 tok/s  -25.0 %  -29.9 to -19.7 %  2  7.74 %  worse"
    assert assumed == f"  {ASSUMED}"
    found = re.fullmatch(r"  differs from the baseline: model digest ([0-9a-f]{12}) instead of ([0-9a-f]{12})", digests)
    assert found is not None
    assert found[1] != found[2]


def test_the_duration_of_answers_without_a_fixed_length_is_not_judged(storage: Storage) -> None:
    """Where answers end by themselves `e2e` is not comparable, and time per token is judged by its threshold."""
    result = storage.run("--chimera-baseline=0002,0004", "--chimera-fail-on=e2e:5%")
    assert result.ret == 0
    assert [(each["metric"], each["threshold"]) for each in storage.verdicts().values()] == [
        ("time/token", 0.05),
        ("e2e", 0.05),
    ]
    assert remarks(result) == [
        "test_sky[toy]  e2e  not comparable",
        "  answers differ in length",
        "test_sky[toy]  time/token  5.00 ms  5.00 ms  +0.0 %  -6.6 to +7.0 %  2  8.39 %  same",
        f"  {ASSUMED}",
    ]


def test_the_duration_of_answers_of_one_length_is_judged(storage: Storage) -> None:
    """Where num_predict ends every answer `e2e` itself is judged, and nothing in its place."""
    storage.project.pytester.makepyfile(test_sky=SKY.replace('blue?"', 'blue?", output_tokens=3'))
    storage.run()
    (storage.path / "x.json").rename(storage.path / "before.json")
    storage.run("--chimera-baseline=before.json", "--chimera-fail-on=e2e:5%")
    (verdict,) = storage.verdicts().values()
    assert verdict["metric"] == "e2e"
    assert verdict["outcome"] in {"worse", "same", "better"}
    assert verdict["before"] > 0
