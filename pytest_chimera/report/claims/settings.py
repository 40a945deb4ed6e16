"""Settings that a text states, "num_gpu=40" or "temperature 0.4-0.8", and the runs that were made with them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from pytest_chimera.report.claims.clauses import LINKED, pair_place, sentence_bounds
from pytest_chimera.report.claims.text import MAX_PIECE
from pytest_chimera.report.claims.words import LONGEST_NUMBER, NUMBER, UNIT_AFTER, UNITS, words_in

if TYPE_CHECKING:
    from pytest_chimera.report.claims.evidence import Evidence
    from pytest_chimera.report.claims.numbers import Number
    from pytest_chimera.report.claims.text import Piece

_LEVEL = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:\([^)]{0,40}\))?\s*:")
_CONFIG = re.compile(r"\W*(?:[\w-]+\s){0,2}(?:config\w*|settings?|parameters?|setup|options)\b", re.IGNORECASE)
_WHOLE = 3
"""Settings that make a line a configuration, whatever it begins with."""
_MOST_SIBLINGS = 40
"""Items of a list among which one is looked for that states the settings of all."""
_PARAMETERS = (
    ("num_gpu", r"num_gpu|n_gpu_layers|(?:num[_ ])?gpu[_ -]layers?|ngl|gpu(?==)|gpu(?: layers)? offload"),
    ("num_ctx", r"num_ctx|n_ctx|ctx|context(?:[_ ](?:size|window|length))?"),
    ("temperature", r"temperatures?|temps?"),
    ("num_predict", r"num_predict|max_(?:new_)?tokens|n_predict"),
    ("num_batch", r"num_batch|n_batch"),
    ("num_thread", r"num_threads?|n_threads|threads"),
    ("batch_size", r"batch(?:[_ ]size)?"),
    ("concurrency", r"concurrency|parallel(?:ism)?|num_parallel|concurrent (?:users|requests|agents)"),
    ("seed", r"seed"), ("top_p", r"top[_-]p"), ("top_k", r"top[_-]k"), ("min_p", r"min[_-]p"),
    ("repeat_penalty", r"repe(?:at|tition)_penalty"),
)  # fmt: skip
"""Setting -> what people call it."""
_COUNTED_SETTING = re.compile(
    r"\s?-?\s?(?:(?:gpu )?(?P<num_gpu>layers?)|[kK]?[- ]?(?:tokens?[- ])?(?P<num_ctx>contexts?|ctx)"
    r"|(?P<concurrency>(?:(?:concurrent|parallel|simultaneous) )?(?:users?|clients?|streams?|sessions?)"
    r"|(?:concurrent|parallel|simultaneous) (?:requests?|agents?))"
    r"|(?P<num_thread>threads?))\b",
    re.IGNORECASE,
)


class Setting(NamedTuple):
    """A setting as a text states it."""

    start: int
    end: int
    name: str
    values: tuple[float, ...]
    """One, several ("0.4, 0.8"), or the ends of a range."""
    relation: Literal["=", "range", "<", ">"] = "="


@lru_cache(maxsize=256)
def setting_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """The pattern of a setting's name, with those of the data."""
    known = {name for name, _ in _PARAMETERS}
    parts = [f"(?P<{name}>{pattern})" for name, pattern in _PARAMETERS]
    more = [f"(?P<{name}>{re.escape(name)})" for name in names if name not in known and name.isidentifier()]
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join([*more, *parts])})(?![A-Za-z0-9])", re.IGNORECASE)


def setting_of(head: str, names: tuple[str, ...]) -> str | None:
    """The setting that the head of a column names, when it names nothing else."""
    match = setting_pattern(names).search(head)
    if match is None or words_in("metric", head[: match.start()] + " " + head[match.end() :]):
        return None
    rest = re.sub(
        r"[\W\d_]+|\b(?:gpu|layers|size|window|param|parameter|value|sampling|tokens|chimera)\b",
        "",
        head[: match.start()] + head[match.end() :],
        flags=re.IGNORECASE,
    )
    return match.lastgroup if len(rest) <= 2 else None  # noqa: PLR2004  # "GPU 1", "CTX B"


_AFTER_NAME = re.compile(r"[\s`)]*(?:=|:|<=?|>=?|≤|≥|\bof\b|\bto\b|\bat\b|\bis\b|\()?[\s\[({]*")
_FIRST_OF_RANGE = re.compile(r"(?<![\w.])(\d{1,9})(?:\s?[-\u2013/]|\sto\s|(?<=\d)\sand\s)$")
_AT_MOST = re.compile(r"(?:\b(?:up to|at most)|<=|≤)\s*$", re.IGNORECASE)
_FIRST_VALUE = re.compile(r"(\d+(?:\.\d+)?)()()()")
_VALUES = re.compile(
    r"(\d+(?:\.\d+)?)(?:(\s?[-\u2013]\s?|\sto\s)(\d+(?:\.\d+)?)|((?:\s?(?:,|/|and|or|&)\s?\d+(?:\.\d+)?(?![\w%]))*))"
)


def settings_in(text: str, names: tuple[str, ...]) -> list[Setting]:
    """What a text says of settings: "num_gpu=40", "temperature 0.4-0.8", "4096-token context"."""
    found: list[Setting] = []
    for match in setting_pattern(names).finditer(text):
        between = _AFTER_NAME.match(text, match.end())
        assert between is not None, "it matches nothing, too"
        values = _VALUES.match(text, between.end())
        if values is None:
            continue
        unit = UNIT_AFTER.match(text, values.end())
        if unit and UNITS[unit[2].lower()].kind != "tokens":
            values = _FIRST_VALUE.match(text, between.end())  # "at batch 1 to 26.6 tok/s": the second is none of it
            if values is None or UNIT_AFTER.match(text, values.end()):
                continue
        name = match.lastgroup
        assert name is not None, "every alternative is named"
        found.append(_setting(values, name, between[0], match.start()))
    found += _counted(text, found)
    return found


def _setting(values: re.Match[str], name: str, between: str, start: int) -> Setting:
    first = float(values[1])
    if values[3]:
        return Setting(start, values.end(), name, (first, float(values[3])), "range")
    if values[4]:
        more = tuple(float(each) for each in re.findall(r"\d+(?:\.\d+)?", values[4])[:20])
        return Setting(start, values.end(), name, (first, *more))
    relation: Literal["=", "<", ">"] = "<" if "<" in between else ">" if ">" in between else "="
    return Setting(start, values.end(), name, (first,), relation)


def _counted(text: str, found: list[Setting]) -> list[Setting]:
    """Settings whose number stands first: "80 layers", "2048 context", "between 1 and 16 users"."""
    more = []
    for match in NUMBER.finditer(text):
        noun = _COUNTED_SETTING.match(text, match.end())
        taken = any(each.start <= match.start() < each.end for each in found)
        if noun is None or taken or len(match[0]) > LONGEST_NUMBER:
            continue
        value = float(match[0].replace(",", "").replace("\u2212", "-"))
        before = text[max(0, match.start() - 24) : match.start()]
        first, most = _FIRST_OF_RANGE.search(before), _AT_MOST.search(before)
        values: tuple[float, ...] = (value,)
        if first or most:
            values = (float(first[1]) if first else 0.0, value)
        begin = match.start() - (len(first[0]) if first else 0)
        more.append(Setting(begin, noun.end(), noun.lastgroup or "", values, "range" if len(values) > 1 else "="))
    return more


class SettingScope:
    """Reads the settings around a number, against the settings that the data record."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._settings: dict[str, list[Setting]] = {}

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

    def narrowed(self, mask: int, number: Number) -> tuple[int, list[str], dict[str, Setting], str]:
        """Narrowed by the settings of its own line or row, each by itself."""
        near = self._near_settings(number.piece, number)
        used: list[str] = []
        for stated in near.values():
            each = _end_of(stated, number)
            runs = self._of_pair(self.setting_mask(each), each, mask, number)
            if runs is None:
                continue
            if not mask & runs and self.evidence.settings.get(each.name):
                return 0, [said(each)], near, said(each)
            mask &= runs
            used.append(said(each))
        return mask, used, near, ""

    def _of_pair(self, runs: int | None, setting: Setting, mask: int, number: Number) -> int | None:
        """The runs of the second number of "1.0 vs 2.0" are those of the other level, where there are but two."""
        if not runs or pair_place(number) != 1 or number.piece.table:
            return runs
        others = [own & mask for own in self.evidence.settings[setting.name].values() if own & mask & ~runs]
        return others[0] if len(others) == 1 else None

    def wide(self, piece: Piece, near: dict[str, Setting]) -> tuple[int, tuple[str, ...]]:
        """The runs with the settings of the nearest text further off that states some, all of them together."""
        fences = " ".join(piece.section.fences[:_MOST_SIBLINGS])[:MAX_PIECE]
        beside = [] if near else [*self._sibling_settings(piece), fences]
        for text in (*reversed(piece.leads), *beside):
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
        low, high = sentence_bounds(piece.text, number.start)
        own = [each for each in self.settings_of(piece) if low <= each.start < high]
        for each in sorted(own, key=lambda each: _distance(each, number)):
            near.setdefault(each.name, each)
        return near

    def _sibling_settings(self, piece: Piece) -> list[str]:
        """Lines of the same list that state several settings, when there is one such line."""
        if len(piece.siblings) > _MOST_SIBLINGS:
            return []
        own = piece.text.strip()
        stated = [(line, len(self.settings(line))) for line in piece.siblings if line.strip() != own]
        full = [line for line, count in stated if count >= _WHOLE or (count and _CONFIG.match(line))]
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


def _end_of(setting: Setting, number: Number) -> Setting:
    """Of a range the end that a number is of: "falls from 106 to 43 tok/s between 1 and 16 users"."""
    before = number.piece.text[max(0, number.start - 8) : number.start].rstrip("~ ").lower()
    if setting.relation != "range" or number.piece.table or not before.endswith((" to", " from")):
        return setting
    return setting._replace(values=setting.values[-1:] if before.endswith(" to") else setting.values[:1], relation="=")


def _distance(setting: Setting, number: Number) -> tuple[bool, bool, int]:
    """How near a setting is to a number: first what follows with "at" or "with", then what stands before it."""
    follows = LINKED.fullmatch(number.piece.text[number.close : setting.start]) is not None
    return (not follows, setting.start > number.start, abs(setting.start - number.start))


def said(setting: Setting) -> str:
    """A setting for people: "num_gpu=40"."""
    joint = {"range": "-"}.get(setting.relation, ", ")
    sign = setting.relation if setting.relation in {"<", ">"} else "="
    return f"{setting.name}{sign}{joint.join(f'{value:g}' for value in setting.values)}"
