"""The README runs: its files are written, its commands are called, its tables are those of the code."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pytest_chimera.engine.process import EmbeddedEngine
from pytest_chimera.metrics import METRICS
from pytest_chimera.plugin.settings import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", README, re.DOTALL))
CONSOLES = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
WORKFLOW = ".github/workflows/benchmark.yml"
ANSWER = (
    "The sky looks blue because the air scatters short waves of sunlight far more than long ones, so blue light "
    "reaches our eyes from every side while red light passes straight on."
)
"""32 words."""
SECRET = ("CHIMERA_", "OLLAMA_", "GITHUB_", "PYTEST_", "CI", "BUILD_NUMBER")


def commands() -> list[tuple[str, str]]:
    """(command line, expected output) of every console block, in order."""
    found = [re.split(r"^\$ ", block, flags=re.MULTILINE)[1:] for block in CONSOLES]
    return [(part.split("\n", 1)[0], part.split("\n", 1)[1]) for parts in found for part in parts]


def masked(text: str) -> list[str]:
    """The lines of an output without what differs from run to run: numbers with their units, paths, widths."""
    text = re.sub(r"plugins: .*\n", "", text)
    text = re.sub(r"rootdir: .*", "rootdir: PATH", text)
    text = re.sub(r"Saved benchmark data in: .*", "Saved benchmark data in: PATH", text)
    text = re.sub(r"digest [0-9a-f]+( instead of [0-9a-f]+)?", "digest HEX", text)
    text = re.sub(r"time in \w+|OPS \(\w+/s\)", lambda found: found[0].split(" ")[0], text)
    text = re.sub(r"\d[\d,.]*( (ns|us|ms|s|min)\b)?", "#", text)
    text = re.sub(r"[-=_]{3,}", "---", text)
    return [re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines()]


def agrees(actual: str, expected: str) -> bool:
    """Whether the masked outputs are the same, where a line of dots stands for any lines."""
    *parts, last = [part.strip("\n") for part in f"\n{chr(10).join(masked(expected))}\n".split("\n...\n")]
    rest = "\n".join(["", *masked(actual), ""])
    for part in parts:
        found = rest.find(f"\n{part}\n" if part else "")
        if found < 0:
            return False
        rest = rest[found + len(part) + 1 :] if part else rest
    if not parts:
        return rest == f"\n{last}\n"
    return not last or rest.endswith(f"\n{last}\n")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader's project: the files that the README shows, and the example suites."""
    folder = tmp_path_factory.mktemp("reader")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "example_suites", folder / "example_suites")
    return folder


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """A machine with a server that has gemma3, and nothing else set."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(SECRET)}
    clean["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), clean.get("PATH", "")])
    with EmbeddedEngine.scripted(script(0.004)) as engine, EmbeddedEngine.scripted(script(0.0044)) as slower:
        yield {**clean, "OLLAMA_HOST": engine.url, "SLOWER_BOX": slower.url, "COLUMNS": "100"}


def script(interval_s: float) -> dict[str, Any]:
    """A server with gemma3 that takes so long for each token."""
    answer = {"tokens": ANSWER, "ttft_s": 0.06, "interval_s": interval_s}
    model = {"answers": [answer], "family": "gemma3", "parameter_size": "4.3B", "quantization": "Q4_K_M"}
    return {"models": {"gemma3": model}}


def recipe(target: str) -> str:
    """The last line that make runs for a target."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    assert found is not None, f"make has no target {target}"
    return found[1].strip().splitlines()[-1].strip().lstrip("@").replace("$(BIN)/", "")


def run(command: str, project: Path, environment: dict[str, str]) -> str:
    """What a command line prints."""
    words = shlex.split(re.sub(r"\$([A-Z_]+)", lambda found: environment[found[1]], command))
    if words[0] == "make":
        words = shlex.split(recipe(words[1]))
    done = subprocess.run(
        words, cwd=project, env=environment, capture_output=True, text=True, timeout=300, check=False
    )  # fmt: skip
    return done.stdout + done.stderr


def test_commands_print_what_the_readme_shows(project: Path, environment: dict[str, str]) -> None:
    """Each command line of the README, run in order in a reader's project, prints what stands below it."""
    for command, expected in commands():
        actual = run(command, project, environment)
        assert "Traceback" not in actual
        assert agrees(actual, expected), f"$ {command}\n{actual}\n--- instead of ---\n{expected}"


def test_every_python_block_is_a_file_that_a_command_runs() -> None:
    """No code of the README stands there untried: each block is a file, and each file is run."""
    assert sum(README.count(f"```{language}\n") for language in ("python", "yaml", "csv", "markdown")) + 1 == len(
        FILES
    )  # and gate.sh
    lines = " ".join([WORKFLOW, *(command for command, _ in commands())])
    assert [name for name in FILES if name not in lines] == []


def test_the_workflow_gates_and_its_first_run_passes(environment: dict[str, str], tmp_path: Path) -> None:
    """The CI example restores, gates, saves and uploads; its gate passes without a baseline, with one, and fails on a
    slower server.
    """
    (job,) = yaml.safe_load(FILES[WORKFLOW])["jobs"].values()
    steps = job["steps"]
    actions = [step["uses"].partition("@")[0] for step in steps if "uses" in step]
    assert actions == [
        "actions/checkout",
        "actions/setup-python",
        "actions/cache/restore",
        "actions/cache/save",
        "actions/upload-artifact",
    ]
    assert {step["with"]["path"] for step in steps if "cache" in step.get("uses", "")} == {".benchmarks"}
    assert [step["if"] for step in steps if "if" in step] == ["always() && github.ref == 'refs/heads/main'", "always()"]
    (gate,) = [step["run"] for step in steps if step.get("name") == "gate"]
    (tmp_path / "test_sky.py").write_text(FILES["test_sky.py"], encoding="utf-8")
    quick = " --chimera-rounds 3"
    assert " 1 passed in " in run(gate + quick, tmp_path, environment)
    saved = sorted(tmp_path.glob(".benchmarks/*/*.json"))
    again = run(gate + quick, tmp_path, environment)
    assert ("no baseline" in again, len(saved), " 1 passed in " in again) == (False, 1, True)
    assert (tmp_path / ".chimera" / "report.md").is_file()
    slower = run(f"{gate}{quick} --chimera-host $SLOWER_BOX", tmp_path, environment)
    assert "FAILED test_sky.py::test_sky[gemma3] - Failed: tok/s is 9.1 % lower than before" in slower


def test_make_targets_exist() -> None:
    """Every `make TARGET` that the README names is one that make knows."""
    targets = set(re.findall(r"`make ([a-z-]+)`", README))
    assert {target for target in targets if recipe(target)} == targets


def test_table_of_metrics_is_the_one_table() -> None:
    """The README's metrics, formulas and sides are those of the code, in its order."""
    rows = [f"| `{each.name}` | {each.formula} | {each.seen_by} |" for each in METRICS.values()]
    assert "\n".join(rows) in README


def test_table_of_options_is_that_of_the_settings() -> None:
    """The README's options and their help are those of the command line, in its order."""
    rows = [
        f"| `{each.option}{'' if each.metavar is None else ' ' + each.metavar.replace('|', chr(92) + '|')}` "
        f"| {each.help.replace('|', chr(92) + '|')} |"
        for each in TABLE
    ]
    assert "\n".join(rows) in README


def test_links_lead_to_files() -> None:
    """Every relative link of the README leads to something in the project."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_yaml_blocks_are_yaml() -> None:
    """Every YAML block of the README can be read."""
    for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL):
        assert yaml.safe_load(block)
