"""The corpora of a run: each read once in each process that asks for it, analysed once, reported on together."""

from __future__ import annotations

import json
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_chimera.errors import CorpusError, SettingError
from pytest_chimera.plugin.places import base

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_chimera.analysis import Evidence as AnalysisEvidence
    from pytest_chimera.corpus import Corpus, Vocabulary
    from pytest_chimera.plugin.session import ChimeraSession
    from pytest_chimera.report.claims.evidence import Evidence
    from pytest_chimera.report.corpus_view import CorpusView
    from pytest_chimera.report.narrative import Narrative


class Corpora:
    """What the session knows of old results; nothing is read before somebody asks."""

    def __init__(self, session: ChimeraSession) -> None:
        self._session = session
        self._known: dict[tuple[str, ...], OldResults] = {}
        self.is_asked = False
        """Whether a test asked for a corpus, be it in vain."""
        self.reported: tuple[str, ...] = ()
        """Paths of all that tests have read: what the report at the end is on. An audit alone asks for no report."""
        self._narrated: tuple[tuple[str, ...], Narrative] | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """What the settings name; relative paths of the ini file count from the root, others from where pytest runs."""
        settings = self._session.settings
        folder = base(self._session.config, settings.given.get("corpus"))
        return tuple(str(folder / Path(path).expanduser()) for path in settings.corpus)

    @cached_property
    def vocabulary(self) -> Vocabulary | None:
        """What the settings add to the built-in vocabulary; None adds nothing. Raises CorpusError."""
        path = self._session.settings.vocabulary
        if path is None:
            return None
        from pytest_chimera.corpus import Vocabulary  # noqa: PLC0415  # only where a corpus is read

        return Vocabulary.from_file(self.path("vocabulary", path))

    def path(self, field: str, path: Path) -> Path:
        """The path that a setting names."""
        return base(self._session.config, self._session.settings.given.get(field)) / path

    def check(self) -> None:
        """Look at what the command line asks for before anything runs. Raises SettingError or CorpusError.

        What stands in the environment or the ini file may be meant for other runs, and fails whoever uses it.
        """
        settings = self._session.settings
        asked = {name for name, given in settings.given.items() if given.source.startswith("--")}
        if "audit_json" in asked and not settings.audit:
            raise SettingError(
                "--chimera-audit-json is given, but nothing is audited.",
                "Accepted: --chimera-audit-json FILE beside --chimera-audit.",
                "Add it, as in: pytest reports/ --chimera-audit --chimera-corpus reports/",
            )
        if "audit" in asked and not settings.corpus:
            raise SettingError(
                "--chimera-audit is given, but no corpus to hold claims against.",
                "Accepted: --chimera-audit beside --chimera-corpus PATH (a folder, a file or a glob).",
                "Name it, as in: pytest reports/ --chimera-audit --chimera-corpus reports/",
            )
        if "corpus" in asked:
            from pytest_chimera.corpus.walk import roots_of  # noqa: PLC0415  # only where a corpus is named

            roots_of(self.given)
        if "vocabulary" in asked:
            assert self.vocabulary is not None, "read without an error"

    def of(self, paths: Iterable[str | Path] | str | Path) -> OldResults:
        """The old results below some paths, the same object for the same paths; nothing is read yet."""
        several = (paths,) if isinstance(paths, (str, Path)) else paths
        named = tuple(map(str, several))
        return self._known.setdefault(named, OldResults(self._session, self, named))

    def ask(self, paths: Iterable[str | Path] | str | Path) -> OldResults:
        """The same for a test, read: the report is on them, too. Raises what `OldResults.corpus` raises."""
        self.is_asked = True
        found = self.of(paths)
        assert found.corpus is not None, "read without an error"
        self.report_on(found.paths)
        return found

    def report_on(self, paths: Iterable[str]) -> None:
        """Take paths into the report at the end."""
        self.reported = tuple(dict.fromkeys((*self.reported, *paths)))

    @property
    def read_here(self) -> OldResults | None:
        """What the report is on, where it was read in this process; None where nothing was."""
        found = self._known.get(self.reported)
        return found if found is not None and found.is_read else None

    def take_narrative(self, payload: str) -> None:
        """Keep what two personas said, with the paths of the corpus that they spoke of, as JSON."""
        from pytest_chimera.report.narrative import Narrative  # noqa: PLC0415  # only where there is one

        told = json.loads(payload)
        self._narrated = tuple(told["paths"]), Narrative.from_dict(told["narrative"])

    def narrative_on(self, paths: tuple[str, ...]) -> Narrative | None:
        """What two personas said of exactly these paths; None where they spoke of others, or not at all."""
        return self._narrated[1] if self._narrated is not None and self._narrated[0] == paths else None


class OldResults:
    """One corpus of the run, each step done when it is first asked for."""

    def __init__(self, session: ChimeraSession, corpora: Corpora, paths: tuple[str, ...]) -> None:
        self._session = session
        self._corpora = corpora
        self._seconds: dict[str, float] = {}
        self.paths = paths
        """What is read; empty where nothing is named."""

    @property
    def is_read(self) -> bool:
        """Whether `corpus` is at hand."""
        return "corpus" in vars(self)

    @cached_property
    def corpus(self) -> Corpus:
        """Everything that was understood.

        Raises SettingError where no corpus is named, CorpusError where it or the vocabulary cannot be used, and
        MissingExtraError where a scheduler is named that nothing here can speak to.
        """
        if not self.paths:
            raise SettingError(
                "No corpus is named.",
                "Accepted: --chimera-corpus PATH (a folder, a file or a glob), or a fixture 'chimera_corpus_paths'.",
                "Name the folder with your old results, as in: pytest --chimera-corpus reports/",
            )
        from pytest_chimera.corpus import read_corpus  # noqa: PLC0415  # only where a corpus is read

        settings = self._session.settings
        began = time.perf_counter()
        vocabulary = self._corpora.vocabulary
        stream = True if settings.corpus_stream else None
        if settings.scheduler is None:
            found = read_corpus(self.paths, vocabulary=vocabulary, stream=stream)
        else:
            from pytest_chimera.corpus.executors import scheduler_executor  # noqa: PLC0415  # only with a scheduler

            with scheduler_executor(settings.scheduler) as executor:
                found = read_corpus(self.paths, vocabulary=vocabulary, stream=stream, executor=executor)
        self._seconds["ingest"] = time.perf_counter() - began
        return found

    @cached_property
    def analysed(self) -> AnalysisEvidence:
        """The corpus as it is analysed."""
        from pytest_chimera.analysis import Evidence  # noqa: PLC0415  # only where a corpus is read

        corpus = self.corpus
        return Evidence(
            measurements=corpus.measurements, others=corpus.others, artifacts=corpus.artifacts, left=corpus.left
        )

    @cached_property
    def view(self) -> CorpusView:
        """The corpus with its analysis, as a report is given it."""
        from pytest_chimera.analysis import analyse  # noqa: PLC0415  # only where a corpus is read
        from pytest_chimera.report.corpus_view import CorpusView  # noqa: PLC0415  # same
        from pytest_chimera.report.streamed import models_in, streamed_analysis  # noqa: PLC0415  # same

        corpus = self.corpus
        began = time.perf_counter()
        analysis = analyse(self.analysed) if corpus.streamed is None else streamed_analysis(corpus)
        self._seconds["analysis"] = time.perf_counter() - began
        return CorpusView(
            roots=tuple(self._session.shown_path(Path(root)) for root in corpus.roots),
            artifacts=corpus.artifacts,
            measurements=corpus.measurements,
            others=corpus.others,
            left=corpus.left,
            analysis=analysis,
            times=self.seconds,
            summarised=None if corpus.streamed is None else models_in(corpus.streamed),
        )

    @cached_property
    def evidence(self) -> Evidence:
        """The corpus as claims are checked against it. Raises CorpusError where only summaries were read."""
        from pytest_chimera.report.check import Evidence  # noqa: PLC0415  # only where claims are checked

        corpus = self._whole("claims are checked against single numbers")
        return Evidence.of(corpus.measurements, corpus.others, artifacts=corpus.artifacts)

    @property
    def seconds(self) -> dict[str, float]:
        """Wall time in s of what was done so far: "ingest", "analysis", "report"."""
        return dict(self._seconds)

    def note(self, phase: str, seconds: float) -> None:
        """Keep how long a phase took."""
        self._seconds[phase] = seconds

    def document(self, path: Path) -> str | None:
        """The name in the corpus of the file at `path`; None when it is not part of it."""
        wanted = path.resolve()
        return next((each.path for each in self.corpus.artifacts if Path(each.location).resolve() == wanted), None)

    def write_rename_plan(self, path: Path) -> None:
        """Write better names for the files of the corpus; nothing is renamed.

        Raises OSError, and CorpusError where only summaries were read.
        """
        from pytest_chimera.analysis import rename_plan  # noqa: PLC0415  # only where one is asked for
        from pytest_chimera.report.files import write_whole  # noqa: PLC0415  # same

        assert self._whole("names are proposed for single files") is not None, "read without an error"
        write_whole(path, rename_plan(self.analysed))

    def _whole(self, why: str) -> Corpus:
        if self.corpus.streamed is not None:
            raise CorpusError(
                f"Of this corpus only summaries were read, and {why}.",
                "Accepted: a corpus below the size above which it is streamed, without --chimera-corpus-stream.",
                "Name fewer folders with --chimera-corpus.",
            )
        return self.corpus
