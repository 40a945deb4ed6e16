"""What a baseline may be called, and which files it means: oldest first, with a word on each that was passed over."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.errors import BaselineError
from pytest_chimera.gate.sources import (
    MOST_FILES,
    Place,
    Wanted,
    find_runs,
    machine_id,
    parse_wanted,
    precedes,
    told_apart,
)

if TYPE_CHECKING:
    from pytest_chimera.gate.saved import SavedRun

quickly = settings(max_examples=50, deadline=None)

ACCEPTED = "Accepted: a run number or prefix, a path or glob of JSON files, last, last:K, branch:NAME."
SAVE = "Save one with --benchmark-save=NAME or --benchmark-autosave; a first run may use 'last'."
GO_ON = "Name another file, or leave it out."
FORMATS = Path(__file__).resolve().parents[3] / "shared" / "formats"
HASHED = "0003_9bd4be7428572684cc6480f8c83d56dab0071c48_20261122_095032"
MINE, OTHER = "Linux-CPython-3.11-64bit", "Darwin-CPython-3.11-64bit"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder with pytest-benchmark's storage below it, which is empty."""
    return Place(folder=tmp_path, root=tmp_path / ".benchmarks", machine=MINE)


def found(place: Place, *texts: str) -> list[str]:
    """The names of the runs that are found, of which nothing must be said."""
    runs = find_runs(parse_wanted(texts), place)
    assert runs.notes == ()
    return [run.name for run in runs.runs]


def refusal(place: Place, *texts: str) -> str:
    """The whole text with which a name is refused."""
    with pytest.raises(BaselineError) as caught:
        find_runs(parse_wanted(texts), place)
    return str(caught.value)


# What is asked for ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        ([], Wanted()),
        (["last"], Wanted(last=1)),
        (["last:10"], Wanted(last=10)),
        (["last:0007"], Wanted(last=7)),
        (["0007"], Wanted(names=("0007",))),
        (["branch:main"], Wanted(branches=("main",))),
        (["branch:feature/x:y"], Wanted(branches=("feature/x:y",))),
        (["0007, runs/*.json ,,"], Wanted(names=("0007", "runs/*.json"))),
        (["branch:main,last:10"], Wanted(branches=("main",), last=10)),
        (["branch:main", "branch:next", "last:2", "last:3"], Wanted(branches=("main", "next"), last=3)),
        (["lasting", "Last", "last_week"], Wanted(names=("lasting", "Last", "last_week"))),
    ],
)
def test_what_is_wanted_is_read(texts: list[str], wanted: Wanted) -> None:
    """Names, branches and `last:K` are read, several of them and parted by commas."""
    assert parse_wanted(texts) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("last:0", f"'last:0' is no run at all. {ACCEPTED} Write it as in 'last:10'."),
        ("last:", f"'last:' cannot be read. {ACCEPTED} Write it as in 'last:10' or 'branch:main'."),
        ("last:-1", f"'last:-1' cannot be read. {ACCEPTED} Write it as in 'last:10' or 'branch:main'."),
        ("last:ten", f"'last:ten' cannot be read. {ACCEPTED} Write it as in 'last:10' or 'branch:main'."),
        ("branch:", f"'branch:' cannot be read. {ACCEPTED} Write it as in 'last:10' or 'branch:main'."),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, message: str) -> None:
    """A choice of nothing, and one that is not finished, are refused with what is accepted."""
    with pytest.raises(BaselineError) as caught:
        parse_wanted([f"0007,{text}"])
    assert str(caught.value) == message


def test_an_endless_number_is_refused_or_read() -> None:
    """A number of more digits than Python reads is no crash."""
    try:
        assert parse_wanted(["last:" + "9" * 5000]).last
    except BaselineError as error:
        assert error.accepted == ACCEPTED  # noqa: PT017  # either is good


def test_what_is_wanted_can_be_written() -> None:
    """The text of what is wanted means the same again."""
    wanted = parse_wanted(["0007", "runs/", "branch:main", "last:10"])
    assert str(wanted) == "0007, runs/, branch:main, last:10"
    assert parse_wanted([str(wanted)]) == wanted


@pytest.mark.parametrize(
    ("text", "passed"),
    [("last", True), ("branch:x", True), ("0007,last:2", True), ("0007", False), ("x/*.json", False)],
)
def test_only_a_choice_wants_runs_that_passed(text: str, passed: bool) -> None:
    """Whoever names a run wants that run; `last` and a branch want those whose gate passed."""
    assert parse_wanted([text]).passed_only is passed


def test_the_machine_is_pytest_benchmarks() -> None:
    """The folder of this machine is the one that pytest-benchmark makes."""
    from pytest_benchmark.utils import get_machine_id  # noqa: PLC0415  # its own, to compare with

    assert machine_id() == get_machine_id()


@given(st.lists(st.text(max_size=12) | st.from_regex(r"(last|branch):?.{0,4}", fullmatch=True), max_size=3))
@quickly
def test_any_text_is_wanted_or_refused(texts: list[str]) -> None:
    """Whatever is given is read, and written as something that means the same, or refused."""
    try:
        wanted = parse_wanted(texts)
    except BaselineError as error:
        said = error.accepted
    else:
        assert parse_wanted([str(wanted)]) == wanted
        said = ACCEPTED
    assert said == ACCEPTED


# What is found ----------------------------------------------------------------------------------------------------


def test_an_empty_storage_has_no_last_run(place: Place) -> None:
    """`last` and a branch find nothing in a storage that is missing or empty, and that is no error."""
    for _ in ("missing", "empty"):
        assert found(place, "last") == found(place, "last:10") == found(place, "branch:main") == []
        place.root.mkdir(exist_ok=True)
    (place.root / MINE).mkdir()
    assert found(place, "last:10") == []


@pytest.mark.parametrize("name", ["0007", "7", "0007_x", "nightly", f"{MINE}/0007", "sub/folder/x", "x/"])
def test_a_name_in_an_empty_storage_is_an_error(place: Place, name: str) -> None:
    """A number or prefix that leads nowhere is refused, with the storage that was looked into."""
    assert refusal(place, name) == (
        f"No saved run is called {name!r} in {str(place.root)!r}. The storage is empty or missing. {ACCEPTED} {SAVE}"
    )


def test_a_name_that_no_run_has_is_told_which_there_are(place: Place, make: Any) -> None:
    """The newest five files of the storage are named, and how many more there are."""
    for number in range(1, 8):
        make.write(place.root / MINE / f"{number:04d}_x.json", make.result())
        if number in {1, 5}:
            names = ", ".join(f"{each:04d}_x.json" for each in range(1, number + 1))
            assert refusal(place, "0099") == (
                f"No saved run is called '0099' in {str(place.root)!r}. The storage has {names}. {ACCEPTED} {SAVE}"
            )
    names = ", ".join(f"{each:04d}_x.json" for each in range(3, 8))
    assert refusal(place, "0099") == (
        f"No saved run is called '0099' in {str(place.root)!r}. The storage has {names} and 2 older ones. "
        f"{ACCEPTED} {SAVE}"
    )


@pytest.mark.parametrize(
    ("file", "names", "shown"),
    [
        ("0007_nightly", ["7", "0007", "0007_", "0007_n", "0007_nightly", f"{MINE}/0007", f"{MINE}/7", "00"],
         "0007_nightly"),
        (HASHED, ["3", "0003", HASHED[:12], HASHED], "0003"),
        ("0004_unversioned_20261122_095032", ["4", "0004_unversioned"], "0004"),
        ("0005_unknown_20261122_095032", ["5", "0005_unknown"], "0005"),
        (f"{HASHED}_uncommited-changes", ["3"], "0003"),
        ("12345_x", ["12345"], "12345_x"),
    ],
)  # fmt: skip
def test_a_run_is_found_by_number_and_prefix(place: Place, make: Any, file: str, names: list[str], shown: str) -> None:
    """A run of the storage has a number, and a name as short as it can be told apart."""
    make.write(place.root / MINE / f"{file}.json", make.result())
    for name in names:
        assert (name, found(place, name)) == (name, [shown])
    (run,) = find_runs(parse_wanted(names[:1]), place).runs
    assert (run.number, run.source) == (int(file.partition("_")[0]), str(place.root / MINE / f"{file}.json"))


def test_a_number_means_the_whole_number(place: Place, make: Any) -> None:
    """Number 1 is not 10 or 11, and 12 not 1234."""
    for number in (1, 10, 11, 12, 1234):
        make.write(place.root / MINE / f"{number:04d}_x.json", make.result(), day=number % 30)
    assert found(place, "1") == ["0001_x"]
    assert found(place, "12", "0011") == ["0011_x", "0012_x"]
    assert found(place, "1234") == ["1234_x"]


def test_a_star_means_many_runs(place: Place, make: Any) -> None:
    """A glob in the storage takes every run that it matches, and none is no error."""
    for number in (1, 2, 11):
        make.write(place.root / MINE / f"{number:04d}_x.json", make.result(), day=number)
    assert found(place, "000*") == ["0001_x", "0002_x"]
    assert found(place, "0011*") == ["0011_x"]
    assert found(place, "0099*") == found(place, "none/*.json") == []


def test_the_own_machine_is_looked_into_first(place: Place, make: Any) -> None:
    """A number means the run of this machine, and of another one where this one has none or that one is named."""
    make.write(place.root / MINE / "0001_x.json", make.result(), day=5)
    make.write(place.root / OTHER / "0001_y.json", make.result(), day=6)
    make.write(place.root / OTHER / "0002_y.json", make.result(), day=7)
    assert found(place, "0001") == ["0001_x"]
    assert found(place, "0002") == ["0002_y"]
    assert found(place, f"{OTHER}/0001") == ["0001_y"]
    assert found(place, f"{OTHER}/") == ["0001_y", "0002_y"]
    assert refusal(place, f"{MINE}/0002").startswith(f"No saved run is called '{MINE}/0002' in ")


def test_a_storage_without_folders_is_looked_into_as_well(place: Place, make: Any) -> None:
    """Files that stand in the storage itself are found by number and by `last`."""
    make.write(place.root / "0001_x.json", make.result())
    make.write(place.root / OTHER / "0002_y.json", make.result(), day=2)
    assert found(place, "0001") == ["0001_x"]
    assert found(place, "last") == ["0001_x", "0002_y"]


def test_a_path_is_a_run(place: Place, make: Any) -> None:
    """A file anywhere is found by its path, relative or not, with or without a number in its name."""
    path = make.write(place.folder / "out" / "base.json", make.result())
    numbered = make.write(place.folder / "0009_x.json", make.result())
    assert found(place, "out/base.json") == found(place, str(path)) == ["base"]
    (run,) = find_runs(parse_wanted(["0009_x.json"]), place).runs
    assert (run.name, run.number, run.source) == ("0009_x", 9, str(numbered))


def test_a_path_counts_from_the_folder_and_not_from_here(place: Place, make: Any, tmp_path: Path) -> None:
    """Relative paths count from the place that is given."""
    make.write(tmp_path / "sub" / "base.json", make.result())
    inner = Place(folder=tmp_path / "sub", root=place.root)
    assert found(inner, "base.json") == ["base"]
    assert refusal(place, "base.json").startswith("There is no saved run 'base.json'.")


@pytest.mark.parametrize("name", ["missing.json", "sub/missing.json", "/nowhere/missing.json"])
def test_a_missing_file_is_an_error(place: Place, name: str) -> None:
    """A path that leads nowhere is refused with the way to begin."""
    assert refusal(place, name) == (
        f"There is no saved run {name!r}. {ACCEPTED} "
        "For a first run without a baseline use 'last' or a glob, which may find nothing."
    )


@pytest.mark.parametrize("name", ["/nowhere/0007", "/0007", "/nowhere/x_"])
def test_an_absolute_path_that_leads_nowhere_is_an_error(place: Place, name: str) -> None:
    """A path from the root that is no file is refused like any other name."""
    assert refusal(place, name) == (
        f"No saved run is called {name!r} in {str(place.root)!r}. The storage is empty or missing. {ACCEPTED} {SAVE}"
    )


def test_an_absolute_glob_may_find_nothing_yet(place: Place) -> None:
    """A glob from the root that matches no file is a first run, like a relative one."""
    assert found(place, f"{place.folder}/none/*.json") == []
    assert found(place, "/nowhere/0007*") == []


@pytest.mark.parametrize("name", ["x" * 300, "9" * 5000, "~nosuchuser/x", "**x", "a/**b", "\0", "sub/\0/x"])
def test_a_name_that_no_file_can_have_is_an_error(place: Place, name: str) -> None:
    """A name that the system refuses is refused by us too, or a glob of nothing, and no crash."""
    try:
        assert find_runs(parse_wanted([name]), place).runs == ()
    except BaselineError as error:
        assert error.what.startswith(("No saved run is called ", "There is no saved run "))  # noqa: PT017  # see above


def test_a_glob_and_a_folder_take_what_there_is(place: Place, make: Any) -> None:
    """A glob takes the files that match, a folder every JSON file below it; both may find nothing."""
    for day, file in enumerate(("a.json", "b.json", "deep/c.json"), 1):
        make.write(place.folder / "runs" / file, make.result(), day=day)
    (place.folder / "runs" / "notes.txt").write_text("no run", encoding="utf-8")
    assert found(place, "runs/*.json") == ["a", "b"]
    assert found(place, "runs/**/*.json") == found(place, "runs") == found(place, "runs/") == ["a", "b", "c"]
    assert found(place, f"{place.folder}/runs/[bc].json") == ["b"]
    (place.folder / "empty").mkdir()
    assert found(place, "empty") == found(place, "runs/*.jsn") == []


def test_a_file_that_is_named_like_a_glob_is_that_file(place: Place, make: Any) -> None:
    """A file whose name has a bracket is found by its own name."""
    make.write(place.folder / "run[1].json", make.result())
    make.write(place.folder / "run1.json", make.result())
    assert found(place, "run[1].json") == ["run[1]"]


def test_what_is_named_twice_is_one_run(place: Place, make: Any) -> None:
    """A run that is named by number, by path and by a glob counts once."""
    file = make.write(place.root / MINE / "0001_x.json", make.result())
    make.write(place.root / MINE / "0002_y.json", make.result(), day=2)
    assert found(place, "0001", "1", str(file), f"./.benchmarks/{MINE}/0001_x.json") == ["0001_x"]
    assert found(place, "0001", f".benchmarks/{MINE}/*.json") == ["0001_x", "0002_y"]


def test_a_link_to_a_run_is_that_run(place: Place, make: Any) -> None:
    """A file that is reached by another way as well counts once: a run is no evidence for itself."""
    make.write(place.folder / "runs" / "a.json", make.result())
    (place.folder / "latest.json").symlink_to(place.folder / "runs" / "a.json")
    for way in ("latest.json", "runs/../runs/a.json"):
        assert [run.name for run in find_runs(parse_wanted(["runs/a.json", way]), place).runs] == ["a"]


def test_runs_of_one_name_are_told_apart(place: Place, make: Any) -> None:
    """Files of one name are called after their folders, those of folders of one name have a number as well."""
    for day, file in enumerate(("one/x.json", "two/x.json", "deep/two/x.json", "y.json"), 1):
        make.write(place.folder / "all" / file, make.result(), day=day)
    assert found(place, "all") == ["one/x", "two/x (2)", "two/x", "y"]  # named in the order of paths, told in time's
    make.write(place.root / MINE / "0001_x.json", make.result())
    make.write(place.root / OTHER / "0001_x.json", make.result(), day=2)
    assert found(place, "last") == [f"{MINE}/0001_x", f"{OTHER}/0001_x"]


FOLDERS = st.sampled_from(["a", "b", "a/a", "b/a"])


@given(st.lists(st.tuples(FOLDERS, st.sampled_from(["x", "x (2)", "y"])), max_size=6, unique=True))
@quickly
def test_no_two_runs_have_one_name(make: Any, drawn: list[tuple[str, str]]) -> None:
    """Whatever files are called and wherever they stand, each run gets a name of its own."""
    run = make.run("x")
    runs = told_apart([replace(run, name=name, source=f"{folder}/{name}.json") for folder, name in drawn])
    assert len({each.name for each in runs}) == len(drawn)
    assert [each.source for each in runs] == [f"{folder}/{name}.json" for folder, name in drawn]


@pytest.mark.parametrize(
    ("one", "other", "is_so"),
    [
        ((1, 5, "s"), (2, 3, "s"), True),
        ((2, 3, "s"), (1, 5, "s"), False),
        ((2, 3, "s"), (2, 3, "s"), False),
        ((1, 5, "s"), (2, 3, "t"), False),
        ((None, 3, "s"), (2, 5, "s"), True),
        ((None, 5, "s"), (None, 3, "s"), False),
        ((None, None, "s"), (2, 3, "s"), True),
        ((None, 3, "s"), (2, None, "s"), True),
    ],
)
def test_a_run_precedes_another(make: Any, one: Any, other: Any, is_so: bool) -> None:
    """In one folder numbers say which run is the earlier one, else times; what nobody knows is not denied."""

    def run(number: int | None, day: int | None, folder: str) -> SavedRun:
        known: SavedRun = make.run("x", day=day or 1)
        return replace(known, number=number, source=f"{folder}/x.json", time=known.time if day else None)

    assert precedes(run(*one), run(*other)) is is_so


def test_last_looks_at_every_machine(place: Place, make: Any) -> None:
    """`last` finds the runs of all machines, in the order of their numbers; how many count is decided per case."""
    make.write(place.root / MINE / "0002_x.json", make.result(), day=2)
    make.write(place.root / OTHER / "0001_y.json", make.result(), day=1)
    make.write(place.root / OTHER / "0003_y.json", make.result(), day=3)
    assert found(place, "last") == found(place, "last:2") == ["0001_y", "0002_x", "0003_y"]


def test_only_the_newest_files_of_a_storage_are_read(place: Place, make: Any) -> None:
    """A storage of thousands of files is not read whole: those with the largest numbers are taken."""
    first = make.write(place.root / MINE / "0001_x.json")
    for number in range(2, MOST_FILES + 4):
        shutil.copy(first, first.with_name(f"{number:04d}_x.json"))
    names = found(place, "last:10")
    assert (len(names), names[0], names[-1]) == (MOST_FILES, "0004_x", f"{MOST_FILES + 3:04d}_x")


def test_a_branch_is_looked_up_by_its_commit(place: Place, make: Any) -> None:
    """Runs are of a branch by what their file says, of several where several are named, within what is named."""
    for number, branch in enumerate(("main", "topic", "main", "old/topic"), 1):
        make.write(place.root / MINE / f"{number:04d}_{branch[:2]}.json", make.result(), day=number, branch=branch)
    assert found(place, "branch:main") == ["0001_ma", "0003_ma"]
    assert found(place, "branch:main,branch:old/topic") == ["0001_ma", "0003_ma", "0004_ol"]
    assert found(place, "branch:nosuch") == found(place, "branch:mai") == []
    assert found(place, "branch:main", "0001", "0002") == ["0001_ma"]


# Files that cannot be used ----------------------------------------------------------------------------------------


@pytest.fixture
def unusable(place: Place, make: Any) -> dict[str, str]:
    """Four files of the storage that cannot be used, each with what is said of it, and a good one."""
    folder = place.root / MINE
    make.write(folder / "0001_good.json", make.result())
    text = (folder / "0001_good.json").read_text(encoding="utf-8")
    (folder / "0002_cut.json").write_text('{"benchmarks": [', encoding="utf-8")
    (folder / "0003_binary.json").write_bytes(b"\xff\xfe\x00")
    (folder / "0004_tool.json").write_text('{"results": [{"command": "sleep 0.02"}]}', encoding="utf-8")
    (folder / "0005_future.json").write_text(text.replace('"schema": 1', '"schema": 2'), encoding="utf-8")
    cut, binary, tool, future = (
        repr(str(folder / f"{name}.json")) for name in ("0002_cut", "0003_binary", "0004_tool", "0005_future")
    )
    byte = "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
    return {
        "0002": (
            f"The saved run {cut} is damaged: it is not JSON to its end (Expecting value: line 1 column 17 (char 16))."
        ),
        "0003": f"The saved run {binary} is damaged: it is no text of JSON ({byte}).",
        "0004": f"{tool} is no saved run of pytest-benchmark: it has no list of 'benchmarks'.",
        "0005": f"The saved run {future} was written in schema 2 of a newer pytest-chimera.",
    }


@pytest.mark.parametrize("text", ["last", "branch:main", "*", "{folder}/*.json", "{folder}"])
def test_a_choice_passes_over_what_it_cannot_use(place: Place, unusable: dict[str, str], text: str) -> None:
    """`last`, a branch, a glob and a folder take the good file and say of each other one why not."""
    if text == "*":
        place = Place(folder=place.root / MINE, root=place.root, machine=MINE)
    runs = find_runs(parse_wanted([text.format(folder=f".benchmarks/{MINE}")]), place)
    assert [run.name for run in runs.runs] == ["0001_good"]
    assert runs.notes == tuple(f"Passed over: {what}" for what in unusable.values())


@pytest.mark.parametrize(
    ("number", "rest"),
    [
        ("0002", GO_ON),
        ("0003", GO_ON),
        ("0004", f"Accepted: files written by --benchmark-save, --benchmark-autosave or --benchmark-json. {GO_ON}"),
        ("0005", "This version reads schemas up to 1. Use the version that wrote it, or leave it out."),
    ],
)
def test_a_named_file_that_cannot_be_used_is_an_error(
    place: Place, unusable: dict[str, str], number: str, rest: str
) -> None:
    """Whoever names a file wants that file: it is refused, also beside one that is good."""
    assert refusal(place, number) == refusal(place, "0001", number) == f"{unusable[number]} {rest}"


def test_real_files_of_other_tools_are_passed_over(place: Place, make: Any) -> None:
    """Of a folder with real results of other tools none is taken, and each is named."""
    if not FORMATS.is_dir():
        pytest.skip(f"needs the files in {FORMATS}, which are not part of the project")
    tools = ("aiperf", "guidellm", "hyperfine", "llama-bench")
    files = sorted(file for tool in tools for file in (FORMATS / tool).rglob("*.json"))
    folder = place.folder / "mixed"
    for number, file in enumerate(files):
        (folder / f"{number:02d}").mkdir(parents=True)
        shutil.copy(file, folder / f"{number:02d}" / file.name)
    make.write(folder / "ours.json", make.result())
    runs = find_runs(parse_wanted(["mixed"]), place)
    assert [run.name for run in runs.runs] == ["ours"]
    assert len(runs.notes) == len(files) > 8
    assert all("is no saved run of pytest-benchmark" in note for note in runs.notes)


# In which order ---------------------------------------------------------------------------------------------------


def test_runs_stand_in_the_order_of_their_numbers(place: Place, make: Any) -> None:
    """Numbers make the order, and a clock that was turned back is said."""
    for number, day in ((1, 5), (2, 3), (3, 4)):
        make.write(place.root / MINE / f"{number:04d}_x.json", make.result(), day=day)
    runs = find_runs(parse_wanted(["last:3"]), place)
    assert [run.name for run in runs.runs] == ["0001_x", "0002_x", "0003_x"]
    assert runs.notes == ("0002_x is dated before 0001_x: they are taken in the order of their numbers.",)


def test_runs_without_numbers_stand_in_the_order_of_time(place: Place, make: Any) -> None:
    """Where a run has no number, or two have one, times make the order, whichever zone they are written in."""
    make.write(place.folder / "b.json", make.result(), day=2)
    make.write(place.folder / "a.json", make.result(), day=3)
    make.write(place.folder / "0001_x.json", make.result(), day=1)
    assert found(place, "a.json,b.json,0001_x.json") == ["0001_x", "b", "a"]
    text = (place.folder / "a.json").read_text(encoding="utf-8")
    west = text.replace("2026-11-03T09:50:32.293875+00:00", "2026-11-01T08:00:00-05:00")
    (place.folder / "a.json").write_text(west, encoding="utf-8")
    assert found(place, "a.json,b.json,0001_x.json") == ["0001_x", "a", "b"]
    first = find_runs(parse_wanted(["0001_x.json"]), place).runs[0].time
    assert first == datetime(2026, 11, 1, 9, 50, 32, 293875, tzinfo=timezone.utc)


def test_two_runs_of_one_number_stand_in_the_order_of_time(place: Place, make: Any) -> None:
    """The same number on two machines makes no order."""
    make.write(place.root / MINE / "0001_x.json", make.result(), day=2)
    make.write(place.root / OTHER / "0001_y.json", make.result(), day=1)
    assert found(place, "last") == ["0001_y", "0001_x"]


def test_runs_without_times_stand_as_they_were_named(place: Place, make: Any) -> None:
    """Where a time is not known either, the order is the one in which they were named, and no clock is blamed."""
    for day, name in ((2, "a"), (1, "b"), (3, "c")):
        make.write(place.folder / f"{name}.json", make.result(), day=day)
    text = (place.folder / "c.json").read_text(encoding="utf-8")
    (place.folder / "c.json").write_text(text.replace('"datetime"', '"date"'), encoding="utf-8")
    assert found(place, "a.json,b.json,c.json") == ["a", "b", "c"]


NAMES = st.text(alphabet="x017_*?[]{}-. :\\é", min_size=1, max_size=8).filter(lambda text: ".." not in text)


@given(st.lists(NAMES, min_size=1, max_size=2))
@quickly
def test_any_name_is_found_or_refused(make: Any, tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    """Whatever text names a run, there are runs, or none, or a BaselineError."""
    folder = tmp_path_factory.getbasetemp() / "any-name"
    place = Place(folder=folder, root=folder / ".benchmarks", machine=MINE)
    if not folder.exists():
        make.write(place.root / MINE / "0001_x.json", make.result())
    try:
        names_found = {run.name for run in find_runs(parse_wanted(names), place).runs}
    except BaselineError as error:
        assert error.accepted.endswith(ACCEPTED)  # noqa: PT017  # either is good
    else:
        assert names_found <= {"0001_x"}
