"""Exports of other benchmark tools, each recognised by what only it writes, and of this project's own files.

Each is read as the version named in its module wrote it. A reader is imported when a file of its own is there.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from pytest_chimera.corpus.formats import recognise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_chimera.corpus.rows import Reading

__all__ = ["CSV_FORMATS", "JSON_FORMATS", "TEXT_FORMATS", "CsvFormat", "JsonFormat", "TextFormat"]


class JsonFormat(NamedTuple):
    """A form of parsed JSON, of the list of JSON Lines' objects, or of parsed YAML."""

    name: str
    """As in `Artifact.format`."""
    recognises: Callable[[Any], bool]
    """Whether a document is of this form, by a few keys; for any document."""
    read: Callable[[Any], Reading]
    """What is in a document of this form, broken parts as remarks; it never raises."""


class CsvFormat(NamedTuple):
    """A form of CSV: all rows of a file as cells, the head and comments included."""

    name: str
    recognises: Callable[[Sequence[Sequence[str]]], bool]
    read: Callable[[Sequence[Sequence[str]]], Reading]


class TextFormat(NamedTuple):
    """A form of text, SQL or Markdown."""

    name: str
    recognises: Callable[[str], bool]
    read: Callable[[str], Reading]


def _later(module: str, function: str) -> Callable[[Any], Reading]:
    """The reader `function` of a module here, imported when it is called."""

    def read(content: Any) -> Reading:
        found = import_module(f"{__name__}.{module}")
        return cast("Reading", getattr(found, function)(content))

    return read


JSON_FORMATS: tuple[JsonFormat, ...] = (
    JsonFormat("pytest-chimera-report", recognise.is_own_report, _later("own_report", "read_json")),
    JsonFormat("pytest-benchmark", recognise.is_pytest_benchmark, _later("pytest_benchmark", "read_json")),
    JsonFormat("llama-bench", recognise.is_llama_bench, _later("llama_bench", "read_json")),
    JsonFormat("llama-batched-bench", recognise.is_llama_batched, _later("llama_batched", "read_json")),
    JsonFormat("aiperf", recognise.is_aiperf, _later("aiperf", "read_summary")),
    JsonFormat("aiperf", recognise.is_aiperf_slices, _later("aiperf", "read_slices")),
    JsonFormat("aiperf", recognise.is_aiperf_requests, _later("aiperf", "read_requests")),
    JsonFormat("guidellm", recognise.is_guidellm, _later("guidellm", "read_json")),
    JsonFormat("hyperfine", recognise.is_hyperfine, _later("hyperfine", "read_json")),
)
"""In the order in which they are tried; no document is of two of them."""

CSV_FORMATS: tuple[CsvFormat, ...] = (
    CsvFormat("ollama-bench", recognise.is_ollama_csv, _later("ollama_bench", "read_csv")),
    CsvFormat("llama-bench", recognise.is_llama_csv, _later("llama_bench", "read_csv")),
    CsvFormat("pytest-benchmark", recognise.is_benchmark_csv, _later("pytest_benchmark", "read_csv")),
    CsvFormat("aiperf", recognise.is_aiperf_csv, _later("aiperf", "read_csv")),
    CsvFormat("guidellm", recognise.is_guidellm_csv, _later("guidellm", "read_csv")),
    CsvFormat("hyperfine", recognise.is_hyperfine_csv, _later("hyperfine", "read_csv")),
)

TEXT_FORMATS: tuple[TextFormat, ...] = (
    TextFormat("ollama-bench", recognise.is_ollama_text, _later("ollama_bench", "read_text")),
    TextFormat("llama-bench", recognise.is_llama_sql, _later("llama_bench", "read_sql")),
    TextFormat("llama-bench", recognise.is_llama_markdown, _later("llama_bench", "read_markdown")),
    TextFormat("llama-batched-bench", recognise.is_batched_markdown, _later("llama_batched", "read_markdown")),
    TextFormat("hyperfine", recognise.is_hyperfine_markdown, _later("hyperfine", "read_markdown")),
)
