"""A run that uses none of it: nothing is printed, written or imported on our account."""

from __future__ import annotations

import sys
from typing import Any

HEAVY = ("httpx", "ollama", "hypothesis", "yaml", "xllamacpp", "starlette", "uvicorn", "pygal", "pynvml")
LATE = ("client", "engine", "suites", "report", "records", "wire", "metrics", "stats", "limits", "hardware")


def test_a_run_without_a_case_shows_nothing_of_ours_and_leaves_no_file(project: Any, way: tuple[str, ...]) -> None:
    """The output is that of pytest without the plugin, but for its list of plugins, and no file is left."""
    project.pytester.makepyfile(test_plain="def test_plain():\n    pass\n")
    quiet = ("-p", "no:cacheprovider", "-p", "no:benchmark")
    with_it = project.run(*quiet, *way, model="", process=True)
    without = project.run(*quiet, *way, "-p", "no:chimera", model="", process=True)
    lines = [
        [line for line in project.shown(each).splitlines() if not line.startswith(("running:", "plugins:"))]
        for each in (with_it, without)
    ]
    assert lines[0] == lines[1]
    left = {each.name for each in project.path.iterdir()} - {"__pycache__", "stdout", "stderr"}
    assert {name for name in left if not name.startswith("runpytest-")} == {"test_plain.py"}


def test_a_run_without_a_case_imports_almost_nothing(project: Any) -> None:
    """Neither heavy packages nor our rooms below the plugin are imported, to the end of the run."""
    project.pytester.makepyfile(test_plain="def test_plain():\n    pass\n")
    script = project.pytester.makepyfile(
        run_it=f"""
        import sys, pytest
        status = pytest.main(["-q", "-p", "no:hypothesispytest", "-p", "no:anyio", "test_plain.py"])
        heavy = [name for name in {HEAVY!r} if name in sys.modules]
        late = [name for name in {LATE!r} if f"pytest_chimera.{{name}}" in sys.modules]
        print("status", int(status), heavy, late)
        """
    )
    assert "status 0 [] []" in project.pytester.run(sys.executable, script).outlines


def test_options_alone_import_no_heavy_package(project: Any) -> None:
    """Reading and checking options needs none of the heavy packages either."""
    project.pytester.makepyfile(test_plain="def test_plain():\n    pass\n")
    script = project.pytester.makepyfile(
        run_it=f"""
        import sys, pytest
        options = ["--chimera-model=gemma3", "--chimera-option=num_ctx=512", "--chimera-host=box:11434",
                   "--chimera-limit=tok/s >= 3", "--chimera-timeout=3 s", "--chimera-header=a=b"]
        status = pytest.main(["-q", "-p", "no:hypothesispytest", "-p", "no:anyio", *options, "test_plain.py"])
        print("status", int(status), [name for name in {HEAVY!r} if name in sys.modules])
        """
    )
    assert "status 0 []" in project.pytester.run(sys.executable, script).outlines
