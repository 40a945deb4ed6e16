"""Names in a text: models, labels and files as the data know them, in the forms in which people write them.

A name is looked up as a sequence of runs of letters and digits, so that "q4_0", "Q4-0" and "q4 0" are one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.report.claims.words import ENGINE, FAMILY, TAGGED, words_in

if TYPE_CHECKING:
    from collections.abc import Iterable

_ATOM = re.compile(r"[a-z]+\d*|\d+[a-z]*", re.IGNORECASE)
_GOES_ON = re.compile(r":\w|\.\d|(?<=[A-Za-z])[ -]?\d(?:\.\d)?(?![\d.,%\w])(?!\s?(?:tok|ms|s\b|x\b|runs?\b|of\b))")
"""What shows that a name is longer than what was found of it."""
_LONGEST = 7
"""Atoms of a name; longer labels are texts and are compared word by word."""
_MAX_TAG = 6
_FILLERS = frozenset({"instruct", "it", "chat", "latest", "base", "text", "v", "fp", "preview", "hf", "gguf"})
_STOP = frozenset(
    {
        "yes", "no", "true", "false", "ok", "none", "null", "success", "default", "test", "run", "value", "mean", "all",
        "a", "b", "the", "model", "other", "unknown", "error", "result", "results", "total", "gpu", "performance",
        "benchmark", "overall", "on", "off", "local", "user", "system", "average", "best", "top", "first", "is", "in",
        "to", "of", "latency",
    }
)  # fmt: skip
_SYNONYMS = {"ort": "onnx", "onnxruntime": "onnx", "trt": "tensorrt", "cuda": "gpu", "gpu": "cuda"}


class Name(NamedTuple):
    """What a sequence of atoms names."""

    dimension: str
    """"model", "label backend", ..."""
    text: str
    """As the data write it."""
    mask: int
    """Runs it stands for, one bit each."""


class Mention(NamedTuple):
    """A name in a text."""

    start: int
    end: int
    name: Name


def atoms_of(text: str) -> list[tuple[str, int, int]]:
    """The runs of letters and digits of a text in lower case, with their places."""
    return [(match[0].lower(), match.start(), match.end()) for match in _ATOM.finditer(text)]


def _key(text: str) -> tuple[str, ...]:
    return tuple(atom for atom, _, _ in atoms_of(text))


class Names:
    """All names of the data; filled once, then asked."""

    def __init__(self) -> None:
        self._phrases: dict[tuple[str, ...], dict[str, Name]] = defaultdict(dict)
        self._longest: dict[str, int] = {}
        self._bases: set[str] = set()
        self._engines = False

    def add_models(self, models: dict[str, int]) -> None:
        """Canonical tags with the runs of each."""
        bases = defaultdict(list)
        for tag in models:
            bases[tag.partition(":")[0].rsplit("/", 1)[-1]].append(tag)
        for base, tags in bases.items():
            self._bases.add(base.lower())
            plain = f"{tags[0].partition(':')[0]}:latest"
            named = [plain] if plain in models else tags  # no tag means `:latest` where there is one
            stem = _stem(base, bases)
            for form in {*_spaced(_key(base)), *_spaced(stem), *_nicknames(base, bases)}:
                for tag in named:
                    self._add(form, "model", tag, models[tag])
            for tag in tags:
                for phrase in _forms(base, stem, tag):
                    self._add(phrase, "model", tag, models[tag])

    def add_label(self, key: str, value: str, mask: int) -> bool:
        """A label, when it is a name; False of a text that is too long for one."""
        phrase = _key(value)
        self._engines = self._engines or key == "backend"
        if not phrase or len(phrase) > _LONGEST:
            return False
        if all(atom in _STOP or len(atom) < 2 or atom.isdigit() for atom in phrase):  # noqa: PLR2004  # one letter
            return True
        self._add(phrase, f"label {key}", value, mask)
        if len(phrase) == 1 and (other := next((a for a, b in _SYNONYMS.items() if b == phrase[0]), None)):
            self._add((other,), f"label {key}", value, mask)
        return True

    def _add(self, phrase: tuple[str, ...], dimension: str, text: str, mask: int) -> None:
        if not phrase:
            return
        known = self._phrases[phrase].get(dimension)
        if known is not None:
            text = known.text if text in known.text.split(" | ") else f"{known.text} | {text}"
            mask |= known.mask
        self._phrases[phrase][dimension] = Name(dimension, text, mask)
        self._longest[phrase[0]] = max(self._longest.get(phrase[0], 0), len(phrase))

    def mentions(self, text: str) -> list[Mention]:
        """The names in a text, in order; the longest of those that begin at one place."""
        found: list[Mention] = []
        atoms = atoms_of(text)
        hidden = [(word.start, word.end) for word in words_in("metric", text)]
        place = 0
        while place < len(atoms):
            length = self._match(text, atoms, place)
            if not length:
                place += 1
                continue
            start, end = atoms[place][1], atoms[place + length - 1][2]
            names = self._phrases[tuple(atom for atom, _, _ in atoms[place : place + length])]
            inside = any(low <= start and end <= high for low, high in hidden)
            inside = inside or text[start - 1 : start] == "_" or text[end : end + 1] == "_"  # part of an identifier
            inside = inside or _GOES_ON.match(text, end) is not None  # "toy" of "toy:c", "llama" of "llama 3.2"
            found += [Mention(start, end, name) for name in names.values() if not inside]
            place += length
        return sorted([*found, *self._unknown(text, found)])

    def _match(self, text: str, atoms: list[tuple[str, int, int]], place: int) -> int:
        """How many atoms from here on make the longest known name; atoms must stand close together."""
        for length in range(min(self._longest.get(atoms[place][0], 0), len(atoms) - place), 0, -1):
            part = atoms[place : place + length]
            if tuple(atom for atom, _, _ in part) not in self._phrases:
                continue
            gaps = (text[left[2] : right[1]] for left, right in pairwise(part))
            if all(len(gap) <= 3 and "\n" not in gap and not re.search(r"[,;|=]", gap) for gap in gaps):  # noqa: PLR2004  # " (" and the like
                return length
        return 0

    def _unknown(self, text: str, found: list[Mention]) -> Iterable[Mention]:
        """Names of models that the data do not hold."""
        models = [(each.start, each.end) for each in found]
        if self._engines:
            for match in ENGINE.finditer(text):
                if not any(low < match.end() and match.start() < high for low, high in models):
                    yield Mention(match.start(), match.end(), Name("label backend", match[0], 0))
        for pattern in (TAGGED, FAMILY):
            for match in pattern.finditer(text):
                if any(low < match.end() and match.start() < high for low, high in models):
                    continue
                base = match[0].partition(":")[0].lower()
                if pattern is TAGGED and base not in self._bases and not re.search(r":(latest|\d)", match[0]):
                    continue
                models.append(match.span())
                yield Mention(match.start(), match.end(), Name("model", match[0], 0))


_NICKNAMES = frozenset({"mini", "nano", "micro", "coder", "lite", "tiny", "turbo"})
"""Parts of names by which a model is called alone: "the mini"."""


def _stem(base: str, bases: Iterable[str]) -> tuple[str, ...]:
    """How a name begins, "llama3" of "llama3.1", unless another model is called just that."""
    stem = _key(base)[:1]
    return _key(base) if any(_key(other) == stem for other in bases if other != base) else stem


def _spaced(key: tuple[str, ...]) -> set[tuple[str, ...]]:
    """A name as it is, and with a blank between letters and digits: "Llama 3.1"."""
    apart = tuple(part for atom in key for part in re.findall(r"[a-z]+|\d+", atom))
    return {key, apart}


def _nicknames(base: str, bases: Iterable[str]) -> set[tuple[str, ...]]:
    """The letters that a name begins with, and a part of it that no other name has."""
    letters = re.match(r"[A-Za-z]{3,}", base)
    found: set[tuple[str, ...]] = {(letters[0].lower(),)} if letters else set()
    for part in _key(base):
        if part in _NICKNAMES and not any(part in _key(other) for other in bases if other != base):
            found.add((part,))
    return found


def _forms(base: str, stem: tuple[str, ...], tag: str) -> set[tuple[str, ...]]:
    """The ways in which one model is written: with and without its base, with and without parts of its tag."""
    parts = [part for part in re.split(r"[-:/]", tag.partition(":")[2]) if part][:_MAX_TAG]
    forms = {_key(tag), _key(tag.replace(":", "-"))}
    stems = {*_spaced(_key(base)), *_spaced(stem)}
    for size in range(1, len(parts) + 1):
        for chosen in combinations(parts, size):
            atoms = _key("-".join(chosen))
            telling = [part for part in chosen if part.lower() not in _FILLERS]
            if not telling and "latest" not in chosen:
                continue
            forms |= {(*stem, *atoms) for stem in stems}
            if any(any(sign.isdigit() for sign in part) for part in telling):
                forms.add(atoms)
    return {form for form in forms if form and len(form) <= _LONGEST + 3}
