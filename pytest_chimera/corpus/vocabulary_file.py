"""A user's vocabulary: the same form as the built-in one, of which it adds to or replaces what it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from pytest_chimera.corpus.quantities import UNITS
from pytest_chimera.corpus.vocabulary import Vocabulary, built_in_words, names_in
from pytest_chimera.corpus.yaml_reader import parse_yaml
from pytest_chimera.errors import CorpusError, RecordError, nearest
from pytest_chimera.records import Role
from pytest_chimera.units import Dimension

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 1024**2
_GROUPS = ("settings", "labels", "roles", "environment")
_METRIC_KEYS = ("title", "dimension", "better", "unit", "role", "statistic", "names")
_FORM = "Accepted: the form of the built-in vocabulary; 'pytest-chimera read --vocabulary-form' prints it."


def read_vocabulary(path: Path) -> Vocabulary:
    """The built-in vocabulary with what the file at `path` adds.

    Raises CorpusError where it cannot be read or has something that no vocabulary has, with the nearest known word.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise CorpusError(f"The vocabulary {path} is larger than {_LARGEST:,} bytes.", _FORM)
        given = parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CorpusError(f"The vocabulary {path} cannot be read: {reason}.", _FORM, "Check the path.") from None
    except RecordError as error:
        raise CorpusError(f"The vocabulary {path} is not usable: {error.what}", error.accepted, _FORM) from None
    return Vocabulary(extended(built_in_words(), given, str(path)))


def extended(words: Any, given: Any, source: str) -> dict[str, Any]:
    """The words of a vocabulary with those of another put over them.

    Raises CorpusError; `source` names the file in its text.
    """
    if not isinstance(given, Mapping):
        raise CorpusError(f"The vocabulary {source} is no mapping.", _FORM)
    known = (*words, "headers")
    unknown = [str(key) for key in given if key not in known]
    if unknown:
        raise CorpusError(
            f"The vocabulary {source} has {unknown[0]!r} at its top.",
            f"Accepted: {', '.join(known)}.",
            nearest(unknown[0], known),
        )
    merged: dict[str, Any] = {
        key: dict(value) if isinstance(value, dict) else list(value) for key, value in words.items()
    }
    merged["metrics"] = _metrics(merged["metrics"], given.get("metrics", {}), source)
    for group in _GROUPS:
        for name, names in _mapping(given.get(group, {}), group, source).items():
            merged[group][name] = [*names_in(merged[group].get(name, ())), *_names(names, f"{group}.{name}", source)]
    for name, meanings in _mapping(given.get("within", {}), "within", source).items():
        inner = _mapping(meanings, f"within.{name}", source)
        wrong = next((str(metric) for metric in inner.values() if metric not in merged["metrics"]), None)
        if wrong is not None:
            raise _no_metric(wrong, f"within.{name}", source, merged["metrics"])
        merged["within"][name] = {**merged["within"].get(name, {}), **inner}
    for name, why in _mapping(given.get("ambiguous", {}), "ambiguous", source).items():
        merged["ambiguous"][str(name)] = str(why)
    merged["ignored"] = [*merged["ignored"], _names(given.get("ignored", []), "ignored", source)]
    merged["families"] = [*names_in(merged["families"]), *_names(given.get("families", []), "families", source)]
    merged["headers"] = [_header(each, source) for each in _list(given.get("headers", []), "headers", source)]
    return merged


def _metrics(metrics: dict[str, Any], given: Any, source: str) -> dict[str, Any]:
    for name, each in _mapping(given, "metrics", source).items():
        where = f"metrics.{name}"
        words = _mapping(each, where, source)
        unknown = [str(key) for key in words if key not in _METRIC_KEYS]
        if unknown:
            raise CorpusError(
                f"{where} in {source} has {unknown[0]!r}.",
                f"Accepted: {', '.join(_METRIC_KEYS)}.",
                nearest(unknown[0], _METRIC_KEYS),
            )
        before = metrics.get(name, {"title": name, "better": None})
        names = [*names_in(before.get("names", ())), *_names(words.get("names", []), f"{where}.names", source)]
        merged = {**before, **words, "names": names}
        _check(merged.get("dimension"), get_args(Dimension), f"{where}.dimension", source)
        _check(merged.get("role", "performance"), get_args(Role), f"{where}.role", source)
        _check(merged.get("better"), (None, "lower", "higher"), f"{where}.better", source)
        unit = merged.get("unit")
        if unit not in {None, ""}:
            fitting = tuple(name for name, known in UNITS.items() if known[0] == merged["dimension"])
            _check(str(unit).lower(), fitting, f"{where}.unit", source)
        metrics[str(name)] = merged
    return metrics


def _check(value: object, accepted: tuple[object, ...], where: str, source: str) -> None:
    if value not in accepted:
        words = [str(each) for each in accepted]
        raise CorpusError(
            f"{where} in {source} is {value!r}.", f"Accepted: {', '.join(words)}.", nearest(str(value), words)
        )


def _no_metric(name: str, where: str, source: str, metrics: Mapping[str, Any]) -> CorpusError:
    return CorpusError(
        f"{where} in {source} names the metric {name!r}.", f"Known: {', '.join(metrics)}.", nearest(name, metrics)
    )


def _mapping(value: Any, where: str, source: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise CorpusError(f"{where} in {source} is {value!r}.", "Accepted: a mapping.", _FORM)
    return value


def _list(value: Any, where: str, source: str) -> list[Any]:
    if not isinstance(value, list):
        raise CorpusError(f"{where} in {source} is {value!r}.", "Accepted: a list.", _FORM)
    return value


def _names(value: Any, where: str, source: str) -> list[str]:
    if isinstance(value, str):
        return value.split()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise CorpusError(
            f"{where} in {source} is {value!r}.", "Accepted: names parted by spaces, or a list of them.", _FORM
        )
    return value


def _header(value: Any, source: str) -> dict[str, Any]:
    words = _mapping(value, "headers", source)
    if not isinstance(words.get("match"), str) or "columns" not in words:
        raise CorpusError(
            f"headers in {source} has {dict(words)!r}.",
            "Accepted: 'match', a glob of file names, and 'columns', the names of their columns.",
        )
    return {"match": words["match"], "columns": _names(words["columns"], "headers.columns", source)}
