"""From the strings of an option to its value: one small parser per kind, each refusing in three parts.

They know neither pytest nor which option they read; `settings` puts the source before their text.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import SettingError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

_YES = ("on", "true", "yes", "1")
_NO = ("off", "false", "no", "0")
_THINK_LEVELS = ("low", "medium", "high", "max")


def parse_text(values: list[str]) -> str:
    """The last value as it is."""
    return values[-1].strip()


def parse_texts(values: list[str]) -> tuple[str, ...]:
    """All values as they are."""
    return tuple(values)


def parse_names(values: list[str]) -> tuple[str, ...]:
    """Names, parted by commas, each once, in order."""
    names = [name.strip() for value in values for name in value.split(",")]
    return tuple(dict.fromkeys(name for name in names if name))


def parse_models(values: list[str]) -> tuple[str, ...]:
    """Model names in order, each once: "gemma3" and "gemma3:latest" are one, kept as first written."""
    from pytest_chimera.wire.names import canonical_model  # noqa: PLC0415  # only where a model is named

    found: dict[str, str] = {}
    for name in parse_names(values):
        found.setdefault(name if name.endswith(".gguf") else canonical_model(name).lower(), name)
    return tuple(found.values())


def parse_whole(minimum: int) -> Callable[[list[str]], int]:
    """A parser of whole numbers from `minimum`."""

    def parse(values: list[str]) -> int:
        text = values[-1].strip()
        if not text.isascii() or not text.isdigit() or int(text) < minimum:
            raise SettingError(f"{text!r} is not usable.", f"Accepted: a whole number from {minimum}.")
        return int(text)

    return parse


def parse_timeout(values: list[str]) -> float:
    """Seconds above 0, from "90", "90 s" or "2 min"."""
    from pytest_chimera.units import parse_seconds  # noqa: PLC0415  # only where a time is given

    seconds = parse_seconds(values[-1])
    if seconds <= 0:
        raise SettingError(f"{values[-1]!r} is not usable.", "Accepted: a duration above 0, such as '90 s'.")
    return seconds


def parse_choice(*accepted: str) -> Callable[[list[str]], str]:
    """A parser of one word out of `accepted`."""

    def parse(values: list[str]) -> str:
        word = values[-1].strip()
        if word not in accepted:
            raise SettingError(f"{word!r} is not known.", f"Accepted: {', '.join(accepted)}.", nearest(word, accepted))
        return word

    return parse


def parse_flag(values: list[str]) -> bool:
    """Whether it is on."""
    return parse_choice(*_YES, *_NO)([values[-1].lower()]) in _YES


def parse_think(values: list[str]) -> bool | str:
    """On, off, or how much."""
    word = parse_choice(*_YES, *_NO, *_THINK_LEVELS)([values[-1].lower()])
    return word if word in _THINK_LEVELS else word in _YES


def parse_report(values: list[str]) -> Path:
    """A folder, as written; whoever writes there resolves it."""
    return Path(values[-1]).expanduser()


def parse_headers(values: list[str]) -> dict[str, str]:
    """HTTP headers, "K=V" each."""
    headers = {}
    for value in values:
        name, equals, content = value.partition("=")
        if not equals or not name.strip() or not name.strip().isascii() or "\n" in value or "\r" in value:
            raise SettingError(f"{value!r} is not a header.", "Accepted: NAME=VALUE on one line.", "")
        headers[name.strip()] = content.strip()
    return headers


def parse_limits(values: list[str]) -> tuple[str, ...]:
    """Limits as they were written, after each has been read once, so that a mistake shows at the start."""
    from pytest_chimera.limits import parse_limit  # noqa: PLC0415  # only where a limit is given

    for value in values:
        parse_limit(value)
    return tuple(values)


def parse_gates(values: list[str]) -> tuple[str, ...]:
    """Gates as they were written, after each has been read once."""
    from pytest_chimera.gate.expressions import parse_expression  # noqa: PLC0415  # only where a gate is given

    for value in values:
        parse_expression(value)
    return tuple(values)


def parse_baseline(values: list[str]) -> tuple[str, ...]:
    """What names saved runs, after it has been read once; whether they are there is found out when a case runs."""
    from pytest_chimera.gate.sources import parse_wanted  # noqa: PLC0415  # only where a baseline is given

    parse_wanted(values)
    return tuple(values)


def parse_allowance(values: list[str]) -> float:
    """A percentage above 0, as a share."""
    from pytest_chimera.gate.expressions import parse_allowance as parse  # noqa: PLC0415  # only where one is given

    return parse(values[-1])


def parse_verdicts(values: list[str]) -> tuple[str, ...]:
    """Verdicts on claims, parted by commas."""
    from pytest_chimera.report.claims.claim import VERDICTS  # noqa: PLC0415  # only where one is given

    names = parse_names(values)
    for name in names:
        parse_choice(*VERDICTS)([name])
    return names


PARSERS: dict[str, Callable[[list[str]], Any]] = {
    "text": parse_text,
    "texts": parse_texts,
    "names": parse_names,
    "models": parse_models,
    "headers": parse_headers,
    "limits": parse_limits,
    "gates": parse_gates,
    "baseline": parse_baseline,
    "share": parse_allowance,
    "positive": parse_whole(1),
    "count": parse_whole(0),
    "timeout": parse_timeout,
    "prefix": parse_choice("unique", "reuse"),
    "engine": parse_choice("auto", "ollama", "embedded"),
    "think": parse_think,
    "flag": parse_flag,
    "verdicts": parse_verdicts,
    "path": parse_report,
}
"""Kind of an option -> from its strings, of one source, to its value; raises ChimeraError."""
