"""Folders of files of a test's own making, and what the corpus room makes of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.corpus import read_corpus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pytest_chimera.corpus import Corpus

    Files = Mapping[str, Any]
    MakeFolder = Callable[[Files], Path]
    CorpusOf = Callable[..., Corpus]
    Told = Callable[..., list[tuple[str, str, str, float | None]]]


def _content(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


@pytest.fixture(scope="session")
def make_folder(tmp_path_factory: pytest.TempPathFactory) -> MakeFolder:
    """Makes a folder of files: texts and bytes as they are, anything else as JSON."""

    def make(files: Files) -> Path:
        folder = tmp_path_factory.mktemp("corpus")
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_content(content))
        return folder

    return make


@pytest.fixture(scope="session")
def corpus_of(make_folder: MakeFolder) -> CorpusOf:
    """The corpus of a folder of such files; of a single one by name and content."""

    def read(files: Files | str, content: Any = None, **options: Any) -> Corpus:
        return read_corpus([make_folder({files: content} if isinstance(files, str) else files)], **options)

    return read


@pytest.fixture(scope="session")
def told(corpus_of: CorpusOf) -> Told:
    """(place, metric, statistic, value) of every measurement in one file."""

    def tell(name: str, content: Any, **options: Any) -> list[tuple[str, str, str, float | None]]:
        corpus = corpus_of(name, content, **options)
        found = (*corpus.measurements, *corpus.others)
        return [
            (each.source.place, each.metric, each.statistic, None if each.value is None else round(each.value, 12))
            for each in found
        ]

    return tell


@pytest.fixture(scope="session")
def left(corpus_of: CorpusOf) -> Callable[..., list[tuple[str, str, int]]]:
    """(place, kind, number of values) of everything that is not understood of one file."""

    def tell(name: str, content: Any, **options: Any) -> list[tuple[str, str, int]]:
        return [(each.place, each.kind, each.count) for each in corpus_of(name, content, **options).left]

    return tell
