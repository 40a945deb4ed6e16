"""Which files are read: order, globs, links, and what is no file."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.corpus import Bounds, read_corpus
from pytest_chimera.errors import CorpusError

if TYPE_CHECKING:
    from pathlib import Path

CSV = "ttft_s\n{}\n"


def listed(*paths: Path | str, **options: Any) -> list[tuple[str, str, str | None]]:
    """(path, kind, why it is not read) of every file."""
    corpus = read_corpus([str(path) for path in paths], **options)
    return [(each.path, each.kind, each.left[0].reason if each.left else None) for each in corpus.artifacts]


def test_order(make_folder: Any) -> None:
    """Files come in the order of their names, a folder's own before those of the folders within it."""
    names = ["b.csv", "a.csv", "z/y/x.csv", "z/w.csv", "m/n.csv", "A.csv", "a10.csv", "a9.csv"]
    folder = make_folder({name: CSV.format(index) for index, name in enumerate(names)})
    assert [each[0] for each in listed(folder)] == [
        "A.csv", "a.csv", "a10.csv", "a9.csv", "b.csv", "m/n.csv", "z/w.csv", "z/y/x.csv",
    ]  # fmt: skip


def test_kinds(make_folder: Any) -> None:
    """A name's ending, in any case, says how a file is read; others are listed and say so."""
    names = [
        "a.CSV",
        "b.tsv",
        "c.json",
        "d.jsonl",
        "e.ndjson",
        "f.md",
        "g.markdown",
        "h.yaml",
        "i.yml",
        "j.txt",
        "k.png",
        "l",
    ]
    kinds = [(path, kind) for path, kind, _ in listed(make_folder(dict.fromkeys(names, "x")))]
    assert kinds == [
        ("a.CSV", "csv"), ("b.tsv", "csv"), ("c.json", "json"), ("d.jsonl", "jsonl"), ("e.ndjson", "jsonl"),
        ("f.md", "markdown"),
        ("g.markdown", "markdown"), ("h.yaml", "yaml"), ("i.yml", "yaml"), ("j.txt", "text"), ("k.png", "other"),
        ("l", "other"),
    ]  # fmt: skip
    assert listed(make_folder({"k.png": "x"})) == [("k.png", "other", "not a kind of file that is read")]


def test_single_file(make_folder: Any) -> None:
    """A file that is given is shown by its name."""
    folder = make_folder({"a.csv": CSV.format(1), "b.csv": CSV.format(2)})
    assert [each[0] for each in listed(folder / "b.csv")] == ["b.csv"]


def test_globs(make_folder: Any) -> None:
    """A glob gives the files and folders that match it; every file has a path of its own."""
    folder = make_folder({
        "x/m.csv": CSV.format(1), "y/m.csv": CSV.format(2), "y/n.csv": CSV.format(3), "z.csv": CSV.format(4),
        "z.md": "TTFT: 5 s",
    })  # fmt: skip
    assert sorted(each[0] for each in listed(folder / "z.*")) == ["z.csv", "z.md"]
    paths = [each[0] for each in listed(folder / "*/m.csv")]
    assert len(set(paths)) == 2
    assert {path.rpartition("/")[2] for path in paths} == {"m.csv"}
    assert len(listed(folder / "**/*.csv")) == 4


def test_two_roots(make_folder: Any) -> None:
    """Of several folders each is shown under its name, and folders of one name under different ones."""
    folder = make_folder({"x/a.csv": CSV.format(1), "y/a.csv": CSV.format(2), "o/x/a.csv": CSV.format(3)})
    assert [each[0] for each in listed(folder / "y", folder / "x")] == ["y/a.csv", "x/a.csv"]
    assert len({each[0] for each in listed(folder / "x", folder / "o" / "x")}) == 2


def test_files_of_one_name_stay_apart(make_folder: Any) -> None:
    """Whether a row is cold is told within its own file, also when another root has one of the same name."""
    small = "load_s,ttft_s\n" + "".join(f"0.1,{index}\n" for index in range(1, 5))
    large = "load_s,ttft_s\n" + "".join(f"5,{index}\n" for index in range(11, 13))
    folder = make_folder({"x/a.csv": small, "o/x/a.csv": large})
    found = read_corpus([folder / "x", folder / "o" / "x"]).measurements
    assert {each.cold for each in found} <= {False, None}


def test_each_file_once(make_folder: Any) -> None:
    """A file that lies below several of what was given is read once."""
    folder = make_folder({"a.csv": CSV.format(1), "sub/b.csv": CSV.format(2)})
    for paths in [
        (folder, folder),
        (folder, folder / "sub"),
        (folder / "sub", folder),
        (folder / "sub" / "b.csv", folder),
    ]:
        assert sorted(each[0].rpartition("/")[2] for each in listed(*paths)) == ["a.csv", "b.csv"]


def test_links(make_folder: Any) -> None:
    """A link is never followed: not out of the folder, not to a folder, not in a circle; each is said."""
    folder = make_folder({"in/a.csv": CSV.format(1), "in/sub/b.csv": CSV.format(2), "out/o.csv": CSV.format(3)})
    root = folder / "in"
    for name, target in {
        "1out.csv": "../out/o.csv", "2outside": "../out", "3up": "..", "4self": ".", "5dangling.csv": "nowhere",
        "6inside.csv": "a.csv",
        "7folder": "sub", "8loop": "8loop", "sub/9up": "..",
    }.items():  # fmt: skip
        (root / name).symlink_to(target)
    assert listed(root) == [
        ("1out.csv", "other", "a link out of the folder, not followed"),
        ("2outside", "other", "a link out of the folder, not followed"),
        ("3up", "other", "a link out of the folder, not followed"),
        ("4self", "other", "a link to a folder, not followed"),
        ("5dangling.csv", "other", "a link that leads nowhere"),
        ("6inside.csv", "other", "a link to a file that is read where it is"),
        ("7folder", "other", "a link to a folder, not followed"),
        ("8loop", "other", "a link that leads nowhere"),
        ("a.csv", "csv", None),
        ("sub/9up", "other", "a link to a folder, not followed"),
        ("sub/b.csv", "csv", None),
    ]


def test_globs_do_not_follow_links(make_folder: Any) -> None:
    """A glob ends where two links lead back up, and one that matches a link to nowhere says so."""
    folder = make_folder({"a.csv": CSV.format(1), "sub/b.csv": CSV.format(2)})
    (folder / "up").symlink_to(".")
    (folder / "sub" / "up").symlink_to("..")
    assert sorted(each[0].rpartition("/")[2] for each in listed(folder / "**" / "*.csv")) == ["a.csv", "b.csv"]
    (folder / "gone.csv").symlink_to("nowhere")
    assert ("a.csv", "csv", None) in listed(folder / "*.csv")


def test_a_link_that_is_given(make_folder: Any) -> None:
    """A link that is given itself is followed: it was asked for."""
    folder = make_folder({"in/a.csv": CSV.format(1)})
    (folder / "link").symlink_to("in")
    assert [each[0] for each in listed(folder / "link")] == ["a.csv"]


def test_hidden_folders(make_folder: Any) -> None:
    """A hidden folder is not looked into and said; a hidden file is a file."""
    folder = make_folder({".git/a.csv": CSV.format(1), ".b.csv": CSV.format(2), "c/.d/e.csv": CSV.format(3)})
    assert listed(folder) == [
        (".b.csv", "csv", None), (".git", "other", "a hidden folder, not looked into"),
        ("c/.d", "other", "a hidden folder, not looked into"),
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes there")
def test_pipes(make_folder: Any) -> None:
    """A named pipe is said to be no file, and nobody waits for it."""
    folder = make_folder({"a.csv": CSV.format(1)})
    os.mkfifo(folder / "pipe.csv")
    assert listed(folder) == [("a.csv", "csv", None), ("pipe.csv", "other", "not a regular file")]
    assert listed(folder / "pipe.csv") == [("pipe.csv", "other", "not a regular file")]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable(make_folder: Any) -> None:
    """A file and a folder that may not be read cost a line each."""
    folder = make_folder({"a.csv": CSV.format(1), "sub/b.csv": CSV.format(2)})
    (folder / "a.csv").chmod(0)
    (folder / "sub").chmod(0)
    found = listed(folder)
    (folder / "sub").chmod(0o700)
    assert found == [
        ("a.csv", "csv", "cannot be read: Permission denied"),
        ("sub", "other", "the folder cannot be read: Permission denied"),
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems refuse such names")
def test_hostile_names(make_folder: Any) -> None:
    """Control characters, line ends and bytes that are no text are shown as escapes, and the files are read."""
    folder = make_folder({"e\x1b[31m.csv": CSV.format(1), "l\n\u202e.csv": CSV.format(2), "b\udcff.csv": CSV.format(3)})
    corpus = read_corpus([folder])
    assert [each.path for each in corpus.artifacts] == ["b\\udcff.csv", "e\\x1b[31m.csv", "l\\n\\u202e.csv"]
    assert sorted(each.value or 0 for each in corpus.measurements) == [1.0, 2.0, 3.0]
    assert all(each.source.file.isprintable() for each in corpus.measurements)


def test_deep_folders(make_folder: Any) -> None:
    """Folders below too many others are said and not looked into."""
    folder = make_folder({"a/b/c/d.csv": CSV.format(1), "a/e.csv": CSV.format(2)})
    assert listed(folder, bounds=Bounds(depth=2)) == [
        ("a/e.csv", "csv", None), ("a/b/c", "other", "a folder below too many others"),
    ]  # fmt: skip


def test_many_files(make_folder: Any) -> None:
    """Files beyond the bound are not read, and that is said; as many as the bound are all of them."""
    folder = make_folder({f"{index}.csv": CSV.format(index) for index in range(5)})
    found = listed(folder, bounds=Bounds(files=3))
    assert [each[0] for each in found] == ["0.csv", "1.csv", "2.csv", "..."]
    assert found[-1][2] == "more than 3 files; the rest is not read"
    assert len(listed(folder, bounds=Bounds(files=5))) == 5


def test_nothing(make_folder: Any) -> None:
    """An empty folder is an empty corpus."""
    corpus = read_corpus([make_folder({})])
    assert (corpus.artifacts, corpus.measurements, corpus.others, corpus.left) == ((), (), (), ())


@pytest.mark.parametrize(
    ("path", "what", "then"),
    [
        ("report", "There is no corpus at ", "Did you mean 'reports'?"),
        ("nowhere/at/all", "There is no corpus at ", "Check the path"),
        ("*.xyz", "No file is named as in the corpus ", "Check the pattern."),
    ],
)
def test_paths_that_are_not_there(make_folder: Any, path: str, what: str, then: str) -> None:
    """A path that is not there is refused in words, with the nearest name that is."""
    folder = make_folder({"reports/a.csv": CSV.format(1)})
    with pytest.raises(CorpusError) as caught:
        read_corpus([folder / path])
    assert str(caught.value).startswith(what)
    assert "Accepted: " in str(caught.value)
    assert then in str(caught.value)
