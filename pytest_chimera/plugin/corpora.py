"""The corpus of a run: read once in each process that asks for it, analysed once, told to whoever writes the end."""

from __future__ import annotations

import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_chimera.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.analysis import Evidence as AnalysisEvidence
    from pytest_chimera.corpus import Corpus
    from pytest_chimera.plugin.session import ChimeraSession
    from pytest_chimera.report.claims.evidence import Evidence
    from pytest_chimera.report.corpus_view import CorpusView


class Corpora:
    """What the session knows of old results; nothing is read before somebody asks."""

    def __init__(self, session: ChimeraSession) -> None:
        self._session = session
        self._seconds: dict[str, float] = {}
        self.paths: tuple[str, ...] = ()
        """What is read; empty until a test asked for a corpus or told where one is."""
        self.is_reported = False
        """Whether the report is to be one on the corpus; an audit alone asks for none."""

    @property
    def given(self) -> tuple[str, ...]:
        """What the settings name; relative paths of the ini file count from the root, others from where pytest runs."""
        settings = self._session.settings
        source = settings.given.get("corpus")
        from_file = source is None or source.source.startswith("chimera_")
        config = self._session.config
        base = config.rootpath if from_file else config.invocation_params.dir
        return tuple(str(base / Path(path).expanduser()) for path in settings.corpus)

    def use(self, paths: Sequence[str | Path], *, reported: bool = True) -> None:
        """Read these paths from now on; the first that were named stay."""
        if not self.paths:
            self.paths = tuple(map(str, paths))
        self.is_reported = self.is_reported or (reported and bool(self.paths))

    @cached_property
    def corpus(self) -> Corpus:
        """Everything that was understood. Raises CorpusError, or SettingError where no corpus is named."""
        if not self.paths:
            raise SettingError(
                "No corpus is named.",
                "Accepted: --chimera-corpus PATH (a folder, a file or a glob), or a fixture 'chimera_corpus_paths'.",
                "Name the folder with your old results, as in: pytest --chimera-corpus reports/",
            )
        from pytest_chimera.corpus import Vocabulary, read_corpus  # noqa: PLC0415  # only where a corpus is read

        settings = self._session.settings
        began = time.perf_counter()
        vocabulary = Vocabulary.from_file(settings.vocabulary) if settings.vocabulary else None
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
        """The corpus as claims are checked against it."""
        from pytest_chimera.report.check import Evidence  # noqa: PLC0415  # only where claims are checked

        corpus = self.corpus
        return Evidence.of(corpus.measurements, corpus.others, artifacts=corpus.artifacts)

    @property
    def seconds(self) -> dict[str, float]:
        """Wall time in s of what was done so far: "ingest", "analysis"."""
        return dict(self._seconds)

    def document(self, path: Path) -> str | None:
        """The name in the corpus of the file at `path`; None when it is not part of it."""
        wanted = path.resolve()
        return next((each.path for each in self.corpus.artifacts if Path(each.location).resolve() == wanted), None)

    def write_rename_plan(self, path: Path) -> None:
        """Write better names for the files of the corpus; nothing is renamed. Raises OSError."""
        from pytest_chimera.analysis import rename_plan  # noqa: PLC0415  # only where one is asked for
        from pytest_chimera.report.files import write_whole  # noqa: PLC0415  # same

        write_whole(path, rename_plan(self.analysed))
