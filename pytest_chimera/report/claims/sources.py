"""Which files a text speaks of: those it names, those that lie beside it, those whose names share its words."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, NamedTuple

from pytest_chimera.report.claims.evidence import FACTS, stem_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.report.claims.evidence import Evidence
    from pytest_chimera.report.claims.text import Reader

_MOST_CUT = 100
"""Names that begin with dots, for each of which all files are looked through."""

Tier = Literal["facts", "section", "twin", "document", "folder", "matched", "words", "any"]

_TOKEN = re.compile(r"[\w.\-/\\*…{},]+")
_ENDINGS = ("csv", "json", "jsonl", "md", "txt", "tsv", "yaml", "yml", "log")
_BRACES = re.compile(r"\{([^{}]{1,60})\}")
_GENERIC = frozenset(
    {
        "summary", "results", "result", "report", "reports", "benchmark", "bench", "benchmarks", "data", "test",
        "tests", "runs", "run", "raw", "csv", "json", "final", "metrics", "performance", "analysis", "output", "all",
        "fixed", "stats", "the", "and", "for", "with", "model", "models", "ollama", "artifacts",
    }
)  # fmt: skip
_CLASSES = {
    "sweep": "tuning", "tuning": "tuning", "grid": "tuning", "search": "tuning", "param": "tuning", "params": "tuning",
    "parameter": "tuning", "parameters": "tuning", "configurations": "tuning", "configs": "tuning",
    "quant": "quant", "quantization": "quant", "quantisation": "quant", "quants": "quant", "quantizations": "quant",
}  # fmt: skip


class Chosen(NamedTuple):
    """The files to look in."""

    mask: int
    tier: Tier
    files: frozenset[str]


class Sources:
    """The files that one document speaks of."""

    def __init__(self, evidence: Evidence, reader: Reader, document: str | None) -> None:
        self.evidence = evidence
        self.document = document or ""
        self._index: dict[str, set[str]] = defaultdict(set)
        self._looked_up: dict[tuple[str, bool], frozenset[str]] = {}
        self._words: dict[str, frozenset[str]] = {}
        self._cut_names = 0
        for path in evidence.paths:
            parts = PurePosixPath(path).parts
            self._index[parts[-1].lower() if parts else path].add(path)
            self._index[stem_of(path).lower()].add(path)
            for part in parts[:-1]:
                if re.search(r"\d", part):
                    self._index[f"{part.lower()}/"].add(path)
                if len(part) > 7 and re.search(r"\d", part):  # noqa: PLR2004  # "gemma3" is a model, "20251002-151824" a folder
                    self._index[part.lower()].add(path)
        self.model_words = frozenset(word for model in evidence.models for word in _words(model))
        self.named = {section.number: self._named([*section.headings, *section.lines]) for section in reader.sections}
        self.in_document = frozenset().union(*self.named.values())
        folder = str(PurePosixPath(self.document).parent) if document else None
        self.beside = frozenset(path for path in evidence.paths if str(PurePosixPath(path).parent) == folder) - {
            self.document
        }
        self.twins = frozenset(path for path in self.beside if stem_of(path) == stem_of(self.document))
        """Files of the document's own name."""
        self.matched: frozenset[str] | None = None
        """Files that agree with the document more often than chance allows; None until that was looked into."""

    def _named(self, lines: Iterable[str]) -> frozenset[str]:
        found: set[str] = set()
        for line in lines:
            if "." in line or "_" in line or "-" in line:
                found |= self.files_in(line)
        return frozenset(found) - {self.document}

    def files_in(self, text: str) -> set[str]:
        """The known files that a text names."""
        found: set[str] = set()
        for match in _TOKEN.finditer(text):
            token = match[0].replace("\\", "/").replace("…", "...").strip(",-").rstrip(".")
            cut = token.startswith("...")
            token = token.lstrip(".")
            if len(token) < 6 or not re.search(r"[._\d-]", token):  # noqa: PLR2004  # "a.csv"
                continue
            for name in _expanded(token):
                if (name, cut) not in self._looked_up:
                    self._looked_up[name, cut] = frozenset(self._look_up(name, cut=cut))
                found |= self._looked_up[name, cut]
        return found

    def _look_up(self, name: str, *, cut: bool) -> set[str]:
        parts = [part for part in name.lower().strip("/. ").split("/") if part not in {"", ".", "..", "..."}]
        if not parts:
            return set()
        last = parts[-1] + ("/" if name.endswith("/") else "")
        if last in _ENDINGS and len(parts) > 1:  # "x.csv/json"
            last = f"{parts[-2].rpartition('.')[0]}.{last}"
            parts = [*parts[:-2], last]
        paths = self._index.get(last, set())
        if not paths and cut and len(last) > 5 and self._cut_names < _MOST_CUT:  # noqa: PLR2004  # "...151446"
            self._cut_names += 1
            paths = {path for key, found in self._index.items() if key.endswith(last) for path in found}
        if len(paths) > 1:
            best = max(_common(path, parts) for path in paths)
            paths = {path for path in paths if _common(path, parts) == best}
        if len({stem_of(path) for path in paths}) == 1 and len(paths) > 1:
            near = {path for path in paths if PurePosixPath(path).parent == PurePosixPath(self.document).parent}
            paths = near or paths
        return paths

    def choose(self, mask: int, metric: str, section: int, layers: Sequence[str]) -> Chosen | None:
        """The nearest files in which some of these runs have a metric; None when none has."""
        return self.nearest(self.evidence.having(mask, metric), section, layers)

    def nearest(self, having: int, section: int, layers: Sequence[str]) -> Chosen | None:
        """The nearest files in which some of these runs stand; None when there is no run."""
        if not having:
            return None
        tiers: tuple[tuple[Tier, frozenset[str]], ...] = (
            ("facts", frozenset({FACTS})),
            ("section", self.named.get(section, frozenset())),
            ("twin", self.twins),
            ("document", self.in_document),
            ("folder", self.beside),
            ("matched", self.matched or frozenset()),
            ("any", frozenset(self.evidence.by_file)),
        )
        for tier, files in tiers:
            found = having & self._mask(files)
            if found and tier == "any" and self.matched is None:
                return Chosen(found, tier, files)
            if found:
                return self._refined(found, tier, layers)
        return None

    def _refined(self, mask: int, tier: Tier, layers: Sequence[str]) -> Chosen:
        """Of the files of a tier those whose name shares most words with what stands around the claim."""
        groups: dict[str, int] = defaultdict(int)
        for path, runs in self.evidence.by_file.items():
            if runs & mask:
                groups[path] = runs & mask
        for path in groups.keys() - self._words.keys():
            self._words[path] = _words(path)
        words = {path: self._words[path] for path in groups}
        shared = frozenset.intersection(*words.values()) if words else frozenset()
        for layer in layers:
            said = _words(layer)
            scores = {path: len((each - shared) & said) for path, each in words.items()}
            best = max(scores.values(), default=0)
            if best:
                chosen = frozenset(path for path, score in scores.items() if score == best)
                return Chosen(mask & self._mask(chosen), "words" if tier == "any" else tier, chosen)
        return Chosen(mask, tier, frozenset(groups))

    def _mask(self, files: Iterable[str]) -> int:
        total = 0
        for path in files:
            total |= self.evidence.by_file.get(path, 0)
        return total

    def kind_of(self, path: str) -> frozenset[str]:
        """The words of a file's name that say what kind of file it is, those of models left out."""
        return _words(PurePosixPath(path).stem.replace("_", " ").replace("-", " ")) - self.model_words

    def lacking(self, section: int, metrics: Sequence[str]) -> bool:
        """Whether the section names data files that exist but hold none of the metrics."""
        named = [path for path in self.named.get(section, ()) if not path.endswith((".md", ".txt"))]
        return bool(named) and not any(self.evidence.having(self._mask(named), metric) for metric in metrics)

    def anchored(self, files: Iterable[str]) -> bool:
        """Whether it is proven that the document speaks of one of these files."""
        known = self.in_document | self.beside | (self.matched or frozenset()) | {FACTS}
        return any(path in known for path in files)


def _expanded(token: str) -> list[str]:
    """ "x.{csv,json}" as two names."""
    match = _BRACES.search(token)
    if match is None:
        return [token.strip("{},")]
    return [token[: match.start()] + each + token[match.end() :] for each in match[1].split(",")[:9]]


def _common(path: str, parts: Sequence[str]) -> int:
    """How many parts of a path, from its end, are those of a name."""
    own = [part.lower() for part in PurePosixPath(path).parts]
    return sum(1 for part in parts[:-1] if part in own)


def _words(text: str) -> frozenset[str]:
    plain = text.lower().rsplit(".", 1)[0] if "/" in text else text.lower()
    found = set(re.findall(r"[a-z]{3,}", plain))
    return frozenset(_CLASSES.get(word, word) for word in found - _GENERIC)
