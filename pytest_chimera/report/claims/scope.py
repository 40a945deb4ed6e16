"""Whom a number is about: names and settings around it, from the nearest to the widest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.report.claims.numbers import Setting, setting_of, setting_pattern, settings_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.report.claims.evidence import Evidence
    from pytest_chimera.report.claims.names import Mention
    from pytest_chimera.report.claims.numbers import Number
    from pytest_chimera.report.claims.text import Piece, Reader

_CLAUSE = re.compile(
    r"[;,()—]|\s[-–/|]\s|\b(?:and|but|while|whereas|versus|vs)\b|(?<=[.!?])\s+(?=[A-Z(])", re.IGNORECASE
)
SENTENCE = re.compile(
    r"(?<=[\w)%\]\"'][.!?])(?<!\bvs\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!approx\.)(?<!\bca\.)(?<!\bFig\.)\s+(?=[A-Z(*\"])"
)
"""Between two sentences; a point within a number or an abbreviation ends none."""
_LEVEL = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:\([^)]{0,40}\))?\s*:")
_CONFIG = re.compile(r"\W*(?:[\w-]+\s){0,2}(?:config\w*|settings?|parameters?|setup|options)\b", re.IGNORECASE)
_OBJECT = re.compile(
    r"(?:\bthan|\bover|\bvs\.?|\bversus|\brelative to|\bcompared (?:to|with)|\bagainst)\s*$", re.IGNORECASE
)
_PAIR = re.compile(r"\s*(?:vs\.?|versus|->|→|compared (?:to|with)|against)\s*~?\s*", re.IGNORECASE)


class Layer(NamedTuple):
    """A text around a number; `anchor` is where the number stands in it, None of another text."""

    text: str
    low: int
    high: int
    anchor: int | None
    narrow: bool


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
        self._mentions: dict[str, list[Mention]] = {}
        self._settings: dict[str, list[Setting]] = {}

    def mentions(self, text: str) -> list[Mention]:
        """The names in a text."""
        if text not in self._mentions:
            self._mentions[text] = self.evidence.names.mentions(text)
        return self._mentions[text]

    def settings(self, text: str) -> list[Setting]:
        """The settings in a text."""
        if text not in self._settings:
            self._settings[text] = settings_in(text, self.evidence.setting_names)
        return self._settings[text]

    def settings_of(self, piece: Piece) -> list[Setting]:
        """The settings that a piece states: its own, its column's, or a level at its beginning."""
        found = list(self.settings(piece.text))
        if piece.table:
            name = setting_of(piece.header, self.evidence.setting_names)
            value = re.fullmatch(r"\s*~?(\d[\d,]*(?:\.\d+)?)\s*(?:layers|tokens|\([^)]*\))*\s*", piece.text)
            if name and value and not found:
                found.append(Setting(0, len(piece.text), name, (float(value[1].replace(",", "")),)))
            return found
        level = _LEVEL.match(piece.text)
        if level and not found:
            for text in (*reversed(piece.leads), *reversed(piece.section.headings[-1:])):
                match = setting_pattern(self.evidence.setting_names).search(text)
                if match and match.lastgroup and self._known_level(match.lastgroup, float(level[1])):
                    found.append(Setting(level.start(1), level.end(1), match.lastgroup, (float(level[1]),)))
                    break
        return found

    def _known_level(self, name: str, value: float) -> bool:
        return bool(self.evidence.with_setting(name, value))

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
            (mask, [], {}, "") if without == "settings" else self._with_settings(mask, number)
        )
        wide, further = self._wide_settings(number.piece, near)
        record = bool(settings) or any(key in {"config", "prompt"} for key, _ in more)
        if not missing and number.piece.table:
            mask, label = self._by_text(mask, number)
            record = record or bool(label)
            names += [label] if label else []
        names = [*names, *(text for _, text in more)]
        return Scope(mask, tuple(names), tuple(settings), model, record, missing, wide, further)

    def _models(self, layers: Sequence[Layer], number: Number) -> tuple[int, list[str], str]:
        paired = self.pair_model(number)
        if paired is not None:
            return paired.name.mask, [paired.name.text], "" if paired.name.mask else paired.name.text
        mask, names = self.evidence.everything, []
        for layer in layers:
            found = [
                each for each in _ordered(self.mentions(layer.text), layer)
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
                    r"(?:\bvs\.?|versus|than|over|against|compared to)\s*$", text[: distinct[0].start], re.I
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
            for each in _ordered(self.mentions(layer.text), layer):
                if (each.start, each.end) in models and without != "model":
                    continue  # "q4_0" is the model, whatever else carries that tag
                key = each.name.dimension.removeprefix("label ")
                if each.name.dimension in {"model", without} or key in used:
                    continue
                if not each.name.mask:
                    if layer.narrow and layer.anchor is not None and each.start < layer.anchor:
                        return 0, [], each.name.text
                    continue
                if not layer.narrow and (self._several(layer, each) or not _telling(layer, each, key)):
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

    def _with_settings(self, mask: int, number: Number) -> tuple[int, list[str], dict[str, Setting], str]:
        """Narrowed by the settings of its own line or row, each by itself."""
        near = self._near_settings(number.piece, number)
        used: list[str] = []
        for each in near.values():
            runs = self.setting_mask(each)
            if runs is None:
                continue
            if not mask & runs and self.evidence.settings.get(each.name):
                return 0, [said(each)], near, said(each)
            mask &= runs
            used.append(said(each))
        return mask, used, near, ""

    def _wide_settings(self, piece: Piece, near: dict[str, Setting]) -> tuple[int, tuple[str, ...]]:
        """The runs with the settings of the nearest text further off that states some, all of them together."""
        for text in (*reversed(piece.leads), *self._sibling_settings(piece), " ".join(piece.section.fences)):
            group = [each for each in self.settings(text) if each.name not in near]
            masks = [runs for each in group if (runs := self.setting_mask(each)) is not None]
            if masks:
                together = -1
                for runs in masks:
                    together &= runs
                return together, tuple(said(each) for each in group)
        return -1, ()

    def _near_settings(self, piece: Piece, number: Number) -> dict[str, Setting]:
        near: dict[str, Setting] = {}
        if piece.table:
            for head, cell in zip(piece.table.header, piece.cells, strict=False):
                name = setting_of(head, self.evidence.setting_names)
                value = re.match(r"\s*(\d[\d,]*(?:\.\d+)?)\s*(?:layers|tokens)?\s*(?:\(|$)", cell)
                if name and value and name not in near:
                    near[name] = Setting(0, len(cell), name, (float(value[1].replace(",", "")),))
                elif not value:
                    for each in self.settings(cell):
                        near.setdefault(each.name, each)
        low, high = _sentence_bounds(piece.text, number.start)
        own = [each for each in self.settings_of(piece) if low <= each.start < high]
        for each in sorted(own, key=lambda each: (each.start > number.start, abs(each.start - number.start))):
            near.setdefault(each.name, each)
        return near

    def _sibling_settings(self, piece: Piece) -> list[str]:
        """Lines of the same list that state several settings, when there is one such line."""
        full = [
            line for line in piece.siblings
            if line.strip() != piece.text.strip() and (len(self.settings(line)) > 2 or (_CONFIG.match(line) and self.settings(line)))
        ]  # fmt: skip
        return full if len(full) == 1 else []

    def setting_mask(self, setting: Setting) -> int | None:
        """The runs with a setting; None when no data record it."""
        levels = self.evidence.settings.get(setting.name)
        if not levels:
            return None
        if setting.relation == "range":
            return self.evidence.with_setting(setting.name, setting.values[0], setting.values[-1])
        if setting.relation == "<":
            return self.evidence.with_setting(setting.name, float("-inf"), setting.values[0] * (1 - 1e-9) - 1e-5)
        if setting.relation == ">":
            return self.evidence.with_setting(setting.name, setting.values[0] * (1 + 1e-9) + 1e-5, float("inf"))
        total = 0
        for value in setting.values:
            total |= self.evidence.with_setting(setting.name, value)
        return total

    def _by_text(self, mask: int, number: Number) -> tuple[int, str]:
        """Narrowed by a row label that says a long label, a prompt, in other words."""
        piece = number.piece
        if not self.evidence.texts or piece.cell == 0:
            return mask, ""
        label = piece.cells[0]
        if _is_value(label) or any(each.name.mask & mask for each in self.mentions(label)):
            return mask, ""
        runs = self.evidence.like(label, mask)
        return (mask & runs, f'"{label}"') if mask & runs else (mask, "")


def _telling(layer: Layer, mention: Mention, key: str) -> bool:
    """Whether a label in a wide text is meant: a common word that is the name of an object has to be all of it."""
    text = layer.text[mention.start : mention.end]
    if key not in {"name", "test", "section", "strategy"} or re.search(r"[\d_-]", text):
        return True
    return len(layer.text.strip(" #:")) <= len(text) + 2


def said(setting: Setting) -> str:
    """A setting for people: "num_gpu=40"."""
    joint = {"range": "-"}.get(setting.relation, ", ")
    sign = setting.relation if setting.relation in {"<", ">"} else "="
    return f"{setting.name}{sign}{joint.join(f'{value:g}' for value in setting.values)}"


def clauses(text: str, place: int) -> list[Layer]:
    """The clause and the sentence around a place in a text."""
    low, high = _sentence_bounds(text, place)
    edges = [low, *(match.start() for match in _CLAUSE.finditer(text, low, high)), high]
    left = max(edge for edge in edges if edge <= place)
    right = min((edge for edge in edges if edge > place), default=high)
    return [
        Layer(text, left, right, place, narrow=True),
        Layer(text, low, high, place, narrow=True),
        Layer(text, 0, len(text), place, narrow=True),
    ]


def _sentence_bounds(text: str, place: int) -> tuple[int, int]:
    """Where the sentence around a place begins and ends; at most 400 characters on each side."""
    low, high = max(0, place - 400), min(len(text), place + 400)
    for match in SENTENCE.finditer(text, low, high):
        if match.end() <= place:
            low = match.end()
        else:
            high = match.start()
            break
    return low, high


def _ordered(mentions: Sequence[Mention], layer: Layer) -> list[Mention]:
    """Of the mentions those in a layer: before the number from the nearest, then behind it."""
    inside = [each for each in mentions if layer.low <= each.start < layer.high]
    if layer.anchor is None:
        return inside
    anchor = layer.anchor
    return sorted(
        inside,
        key=lambda each: (
            bool(
                _OBJECT.search(layer.text[max(0, each.start - 16) : each.start])
            ),  # "than X": X is what it is compared with
            each.start > anchor,
            abs(each.start - anchor),
        ),
    )


def pair_place(number: Number) -> int | None:
    """0 or 1 for the first or second number of "1.0 vs 2.0"; None when it stands in no pair."""
    text = number.piece.text
    if (match := _PAIR.match(text, number.close)) and re.match(r"[\d+-]", text[match.end() :]):
        return 0
    before = text[max(0, number.start - 16) : number.start]
    if (match := re.search(r"(?:vs\.?|versus|->|→|against)\s*~?\s*$", before, re.I)) and re.search(
        r"[\d%a-zA-Z]\s*$", before[: match.start()]
    ):
        earlier = text[: number.start - len(before) + match.start()].rstrip()
        return 1 if re.search(r"\d[\d.,]*\s*[a-zA-Z/%]{0,14}$", earlier) else None
    return None


def _is_value(cell: str) -> bool:
    """Whether a cell holds a number rather than a name."""
    return bool(re.fullmatch(r"\s*[~≈<>+\-−]?\s*\$?\d[\d.,]*\s*[\w/%°]*\s*(?:\([^)]*\))?\s*|\s*[-–—]?\s*", cell))


def _is_name(cell: str, scoper: Scoper) -> bool:
    """Whether a cell is nothing but a name of the data."""
    return (
        any(each.end - each.start >= len(cell.strip()) - 2 for each in scoper.mentions(cell))
        if len(cell) < 60
        else False
    )  # noqa: PLR2004  # a name
