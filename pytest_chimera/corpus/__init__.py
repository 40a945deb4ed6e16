"""Folders of old results: every file read, every number with its place, and everything that was not understood.

`read_corpus` is the way in. Nothing here computes statistics, prints, or knows pytest.
"""

from __future__ import annotations

from pytest_chimera.corpus.bounds import Bounds
from pytest_chimera.corpus.corpus import Corpus, read_corpus
from pytest_chimera.corpus.vocabulary import Vocabulary

__all__ = ["Bounds", "Corpus", "Vocabulary", "read_corpus"]
