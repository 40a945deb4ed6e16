"""Whom a number is about: names and settings around it, from the nearest to the widest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.report.claims.clauses import Layer, clauses, ordered, pair_place
from pytest_chimera.report.claims.settings import SettingScope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.report.claims.evidence import Evidence
    from pytest_chimera.report.claims.names import Mention
    from pytest_chimera.report.claims.numbers import Number
    from pytest_chimera.report.claims.text import Piece, Reader


_VALUE = re.compile(r"\s*[~≈<>+\-\u2212]?\s*\$?\d[\d.,]*\s*[\w/%°]*\s*(?:\([^)]*\))?\s*|\s*[-\u2013—]?\s*")
_LOOSE_KEYS = frozenset({"name", "test", "section", "strategy"})
"""Labels whose values are often words of every day."""
_LONGEST_NAME = 60
_NAMED_PROMPT = re.compile(
    r"\bthe\s((?!first|second|same|last|next|other)[\w-]+(?:\s[\w-]+)?)\s(?:prompt|task|question|query)\b",
    re.IGNORECASE,
)


class Scope(NamedTuple):
    """Whom a number is about."""

    mask: int
    """Runs, one bit each; 0 when the names or settings are of none."""
    names: tuple[str, ...]
    """As understood, for people."""
    settings: tuple[str, ...]
    model: bool
    """Whether a model was named."""
    record: bool
    """Whether settings or a label single out one run."""
    unknown: str = ""
    """The name or setting that the data do not hold."""
    wide: int = -1
    """Runs with the settings that are stated further off; they count only where that leaves something."""
    further: tuple[str, ...] = ()
    """Those settings, for people."""


class Scoper:
    """Resolves names and settings within one document."""

    def __init__(self, evidence: Evidence, reader: Reader, document: str | None) -> None:
        self.evidence = evidence
        self.title = reader.title
        self.path = re.sub(r"\.\w+$", "", document or "").replace("/", " / ").replace("_", " ")
        self.stated = SettingScope(evidence)
        self._mentions: dict[str, list[Mention]] = {}

    def mentions(self, text: str) -> list[Mention]:
        """The names in a text."""
        if text not in self._mentions:
            self._mentions[text] = self.evidence.names.mentions(text)
        return self._mentions[text]

    def layers(self, number: Number) -> list[Layer]:
        """The texts around a number, from the nearest to the widest."""
        piece = number.piece
        layers = list(clauses(piece.text, number.start))
        if piece.table:
            labels = [cell for place, cell in enumerate(piece.cells[: piece.cell]) if not _is_value(cell) or place == 0]
            labels += [cell for cell in piece.cells[piece.cell + 1 :] if _is_name(cell, self)]
            layers += [Layer(cell, 0, len(cell), None, narrow=True) for cell in labels]
            layers.append(Layer(piece.header, 0, len(piece.header), None, narrow=True))
        layers += [Layer(lead, 0, len(lead), None, narrow=False) for lead in reversed(piece.leads)]
        layers += [Layer(head, 0, len(head), None, narrow=False) for head in reversed(piece.section.headings)]
        layers += [Layer(text, 0, len(text), None, narrow=False) for text in (self.title, self.path) if text]
        return layers

    def scope(self, number: Number, metrics: Sequence[str], *, without: str = "") -> Scope:
        """Whom a number is about; names of the dimension `without` are passed over."""
        layers = self.layers(number)
        mask, names, unknown = (
            (self.evidence.everything, [], "") if without == "model" else self._models(layers, number)
        )
        model = bool(names)
        if unknown:
            return Scope(0, tuple(names), (), model, record=False, unknown=unknown)
        mask, more, unknown = self._labels(mask, layers, metrics, without)
        if unknown:
            return Scope(0, (*names, unknown), (), model, record=False, unknown=unknown)
        verbatim = self._verbatim(mask, number.piece.text)
        if verbatim:
            mask, more = verbatim[0], [*more, ("config", verbatim[1])]
        mask, settings, near, missing = (
            (mask, [], {}, "") if without == "settings" else self.stated.narrowed(mask, number)
        )
        wide, further = self.stated.wide(number.piece, near)
        record = bool(settings) or any(key in {"config", "prompt"} for key, _ in more)
        if not missing:
            mask, label = self._by_text(mask, number)
            record = record or bool(label)
            names += [label] if label else []
        names = [*names, *(text for _, text in more)]
        return Scope(mask, tuple(names), tuple(settings), model, record, missing, wide, further)

    def _models(self, layers: Sequence[Layer], number: Number) -> tuple[int, list[str], str]:
        paired = self.pair_model(number)
        if paired is not None:
            return paired.name.mask, [paired.name.text], "" if paired.name.mask else paired.name.text
        mask = self.evidence.everything
        names: list[str] = []
        for layer in layers:
            found = [
                each for each in ordered(self.mentions(layer.text), layer)
                if each.name.dimension == "model"
            ]  # fmt: skip
            for each in found:
                if not names:
                    if not each.name.mask:
                        if layer.narrow:
                            return 0, [each.name.text], each.name.text
                        continue
                    mask, names = each.name.mask, [each.name.text]
                elif self._models_in(mask) > 1 and (both := mask & each.name.mask) and both != mask:
                    mask, names = both, [*names, each.name.text]
        return mask, names, ""

    def pair_model(self, number: Number) -> Mention | None:
        """The model of one of the two numbers of "A vs B (1.0 vs 2.0)"; None when it is no pair or nothing says."""
        place = pair_place(number)
        if place is None:
            return None
        piece = number.piece
        for text in (piece.text, *reversed(piece.leads), *reversed(piece.section.headings)):
            models = [each for each in self.mentions(text) if each.name.dimension == "model"]
            distinct = [
                each for index, each in enumerate(models) if each.name.text not in {m.name.text for m in models[:index]}
            ]
            if len(distinct) >= 2:  # noqa: PLR2004  # a pair
                return distinct[place]
            if len(distinct) == 1:
                second = re.search(
                    r"(?:\bvs\.?|versus|than|over|against|compared to)\s*$", text[: distinct[0].start], re.IGNORECASE
                )
                behind = text is piece.text and distinct[0].start > number.close
                if second or behind:
                    return distinct[0] if place == 1 else self._other(piece, distinct[0])
                return distinct[0] if place == 0 else self._other(piece, distinct[0])
        return None

    def _other(self, piece: Piece, known: Mention) -> Mention | None:
        """The model that a document is about, when a line only names what it is compared with."""
        for text in (*reversed(piece.leads), *reversed(piece.section.headings), self.title, self.path):
            for each in self.mentions(text):
                if each.name.dimension == "model" and not each.name.mask & known.name.mask and each.name.mask:
                    return each
        return None

    def _models_in(self, mask: int) -> int:
        return sum(1 for runs in self.evidence.models.values() if runs & mask)

    def _labels(
        self, mask: int, layers: Sequence[Layer], metrics: Sequence[str], without: str
    ) -> tuple[int, list[tuple[str, str]], str]:  # fmt: skip
        """Narrowed by labels; those of wide layers count only where they leave something to compare with."""
        used: dict[str, str] = {}
        for layer in layers:
            models = {(each.start, each.end) for each in self.mentions(layer.text) if each.name.dimension == "model"}
            for each in ordered(self.mentions(layer.text), layer):
                if (each.start, each.end) in models and without != "model":
                    continue  # "q4_0" is the model, whatever else carries that tag
                key = each.name.dimension.removeprefix("label ")
                if each.name.dimension in {"model", without} or key in used:
                    continue
                if not each.name.mask:
                    if layer.narrow and layer.anchor is not None and each.start < layer.anchor:
                        return 0, [], each.name.text
                    continue
                if not layer.narrow and (self._several(layer, each) or not is_telling(each, layer.text)):
                    continue
                both = mask & each.name.mask
                whole = layer.narrow and layer.anchor is None and each.end - each.start >= len(layer.text.strip()) - 2
                fits = any(self.evidence.having(both, metric) for metric in metrics) if metrics else bool(both)
                if fits or (whole and both):
                    mask = both
                    used[key] = each.name.text
        return mask, list(used.items()), ""

    def _verbatim(self, mask: int, text: str) -> tuple[int, str] | None:
        """Narrowed by a long label, such as a folder, that stands in the text as it is."""
        if "/" not in text and "\\" not in text:
            return None
        found = [
            (len(label), runs & mask, label) for _, label, runs in self.evidence.texts if runs & mask and label in text
        ]
        return max(found)[1:] if found else None

    def _several(self, layer: Layer, mention: Mention) -> bool:
        """Whether a layer names several values of one label."""
        same = {each.name.text for each in self.mentions(layer.text) if each.name.dimension == mention.name.dimension}
        return len(same) > 1

    def _by_text(self, mask: int, number: Number) -> tuple[int, str]:
        """Narrowed by a row label, or by words before "prompt", that say a long label in other words."""
        piece = number.piece
        if not self.evidence.texts or (piece.table and piece.cell == 0):
            return mask, ""
        if piece.table:
            label = piece.cells[0]
        else:
            low, high = clauses(piece.text, number.start)[1][1:3]
            named = _NAMED_PROMPT.search(piece.text, low, high)
            label = named[1] if named else ""
        if not label or _is_value(label) or any(each.name.mask & mask for each in self.mentions(label)):
            return mask, ""
        runs = self.evidence.like(label, mask)
        return (mask & runs, f'"{label}"') if mask & runs else (mask, "")


def is_telling(mention: Mention, text: str) -> bool:
    """Whether a label in a wide text is meant: a common word that is the name of an object has to be all of it."""
    said = text[mention.start : mention.end]
    key = mention.name.dimension.removeprefix("label ")
    if key == "model":
        return False
    if key not in _LOOSE_KEYS or re.search(r"[\d_-]", said):
        return True
    return len(text.strip(" #:")) <= len(said) + 2


def _is_value(cell: str) -> bool:
    """Whether a cell holds a number rather than a name."""
    return _VALUE.fullmatch(cell) is not None


def _is_name(cell: str, scoper: Scoper) -> bool:
    """Whether a cell is nothing but a name of the data."""
    size = len(cell.strip())
    return size <= _LONGEST_NAME and any(each.end - each.start >= size - 2 for each in scoper.mentions(cell))
