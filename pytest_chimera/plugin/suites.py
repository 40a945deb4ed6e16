"""Suites in YAML as pytest sees them: a file is a collector, a case with a model is an item that runs as a function.

What a file may say is `suites.schema`'s; here cases get their models, node ids, markers and places.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.errors import (
    ChimeraError,
    LimitError,
    OptionError,
    PersonaError,
    SettingError,
    SuiteError,
    UserError,
)
from pytest_chimera.plugin.asked import NAMED, OWN_MODELS
from pytest_chimera.plugin.models import NO_MODEL, PlannedModel, plan_named
from pytest_chimera.plugin.parsing import parse_models
from pytest_chimera.plugin.session import get_session
from pytest_chimera.report.escape import terminal
from pytest_chimera.suites.arguments import CALL
from pytest_chimera.suites.explain import CaseFailed, ExpectationBroken, LimitBroken, WorseThanBefore
from pytest_chimera.suites.schema import read_suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from os import PathLike
    from pathlib import Path

    from pytest_chimera.suites.suite import Suite, SuiteCase

MODEL = "model"
"""The field of an arm, and the parameter of a sweep, that names a model."""
_LONGEST_DOC = 80
_FIELDS: Mapping[type[ChimeraError], str] = {
    LimitError: "limits",
    OptionError: "options",
    PersonaError: "persona",
    LimitBroken: "limits",
    ExpectationBroken: "expect",
    WorseThanBefore: "gate",
}
"""What failed -> the field of the case that it is about."""


class ChimeraFile(pytest.File):
    """One file of cases."""

    obj = None
    """pytest asks the parent of a function for it."""

    @functools.cache  # noqa: B019  # a file lives as long as its session, and so do its markers
    def marker(self, tag: str) -> pytest.MarkDecorator:
        """The marker of a tag, one for all cases that have it."""
        found: pytest.MarkDecorator = getattr(pytest.mark, tag)
        return found

    def collect(self) -> Iterator[ChimeraCase]:
        """Its cases, all of one model before those of the next, each in the order of the file."""
        try:
            suite = read_suite(self.path)
            planned = [(case, *_models_of(case, self)) for case in suite.cases]
        except ChimeraError as error:
            raise self.CollectError(str(shortened(error, self.path, self.nodeid))) from None
        _declare_tags(self.config, suite)
        variables = suite.variables(os.environ)
        for model in _in_order(planned):
            for case, alone, models in planned:
                if model in alone:
                    yield _item(self, case, variables, model=model, models=(model, *models))
                elif not alone and model == (models[0] if models else None):
                    yield _item(self, case, variables, model=None, models=models)


class ChimeraCase(pytest.Function):
    """One case of a suite with one model, or with those that it names itself."""

    def __init__(
        self, *, case: SuiteCase, variables: Mapping[str, str], models: tuple[PlannedModel, ...], **given: Any
    ) -> None:
        """`models` are all that it asks, the one that it is measured with first; none where nobody named one."""
        super().__init__(**given)
        self.case = case
        self.variables = variables
        _as_read_back(self)
        setattr(self, OWN_MODELS, models)
        setattr(self, NAMED, bool(get_session(self.config).settings.model or case.models or names_models(case)))

    @property
    def models(self) -> tuple[PlannedModel, ...]:
        """All that it asks."""
        found: tuple[PlannedModel, ...] = getattr(self, OWN_MODELS)
        return found

    def told(self, error: ChimeraError) -> str:
        """The text of an error in this case, with the line of the file that it is about."""
        if isinstance(error, SettingError):
            return str(error)
        if isinstance(error, SuiteError):
            return str(shortened(error, self.path, self._file))
        field = next((name for kind, name in _FIELDS.items() if isinstance(error, kind)), "")
        in_arm = f"arms.{error.result.case.point.get('arm')}.{field}" if isinstance(error, CaseFailed) else ""
        field = in_arm if in_arm in self.case.places else field
        known = field in self.case.places
        line = self.case.places[field][0] if known else self.case.line
        if isinstance(error, UserError):
            what = error.what.replace(CALL, "the case")
            return f"{self._file}:{line}: {type(error)(what, error.accepted, error.next_step)}"
        return f"{error}\n  where    {self._file}:{line}{f', {field}' if known else ''}"

    @property
    def _file(self) -> str:
        """The suite as node ids name it."""
        return self.parent.nodeid if self.parent else str(self.path)

    def reportinfo(self) -> tuple[PathLike[str] | str, int | None, str]:
        """File, line (from 0) and name, for the head line of a failure."""
        return self.path, self.case.line - 1, self.name


def _as_read_back(item: pytest.Item) -> None:
    """Let an item be the one that `--lf`, `--ff` and `--sw` remember.

    Since 9.2 pytest takes an id apart into names and parameters, and compares it in that form with what its caches
    hold: there "sky[gemma3]" has a parameter, and here, where there is no call of parametrize, it would have none.
    """
    parse = getattr(type(getattr(item, "id", None)), "parse", None)
    if parse is not None:
        item._id = parse(item.nodeid)  # noqa: SLF001  # no public name for it


def collect(path: Path, parent: pytest.Collector) -> ChimeraFile:
    """The collector of a suite."""
    get_session(parent.config).has_suites = True
    found: ChimeraFile = ChimeraFile.from_parent(parent, path=path)
    return found


def shortened(error: ChimeraError, path: Path, shown: str) -> ChimeraError:
    """The same error with the suite named as in node ids, where it begins with the place."""
    if not error.what.startswith(str(path)):
        return error
    return type(error)(shown + error.what.removeprefix(str(path)), error.accepted, error.next_step)


def names_models(case: SuiteCase) -> bool:
    """Whether a case names every model that it asks: in each arm, or as a parameter of its sweep."""
    in_arms = bool(case.arms) and all(MODEL in arm.said for arm in case.arms)
    return in_arms or (case.sweep is not None and MODEL in case.sweep.names)


def grouped(items: list[pytest.Item]) -> None:
    """Put cases of suites that ask one model together, so that it stays loaded; all else keeps its place."""
    places = [index for index, item in enumerate(items) if isinstance(item, ChimeraCase)]
    cases = [item for item in items if isinstance(item, ChimeraCase)]
    order = {models: number for number, models in enumerate(dict.fromkeys(case.models[:1] for case in cases))}
    for index, case in zip(places, sorted(cases, key=lambda case: order[case.models[:1]]), strict=True):
        items[index] = case


def _models_of(case: SuiteCase, file: ChimeraFile) -> tuple[tuple[PlannedModel, ...], tuple[PlannedModel, ...]]:
    """The models that a case is measured with one by one, and those that it names beside them.

    Raises SettingError or MissingExtraError.
    """
    session = get_session(file.config)
    levels = [point[MODEL] for point in case.sweep.points if MODEL in point] if case.sweep else []
    beside = _planned([*levels, *(arm.said[MODEL] for arm in case.arms if MODEL in arm.said)], case, file)
    if names_models(case):
        return (), beside
    if session.settings.model or not case.models:
        return session.models or (PlannedModel(NO_MODEL, NO_MODEL, embedded=False),), beside
    return _planned(case.models, case, file), beside


def _planned(names: Sequence[str], case: SuiteCase, file: ChimeraFile) -> tuple[PlannedModel, ...]:
    """Models that the suite names; the path of one counts from the suite."""
    if not names:
        return ()
    place = case.place("models" if "models" in case.places else "")
    return plan_named(parse_models(list(names)), get_session(file.config).settings, file.path.parent, place)


def _in_order(
    planned: Sequence[tuple[SuiteCase, tuple[PlannedModel, ...], tuple[PlannedModel, ...]]],
) -> list[PlannedModel]:
    """Every model that begins an item: those of the run or the file, then those that only arms and sweeps name."""
    of_brackets = [model for _, alone, _ in planned for model in alone]
    return list(dict.fromkeys([*of_brackets, *(beside[0] for _, alone, beside in planned if not alone)]))


def _item(
    file: ChimeraFile,
    case: SuiteCase,
    variables: Mapping[str, str],
    *,
    model: PlannedModel | None,
    models: tuple[PlannedModel, ...],
) -> ChimeraCase:
    name = terminal(case.name) + ("" if model is None else f"[{model.id}]")
    asked = tuple(dict.fromkeys(each for each in models if each.id != NO_MODEL))
    item: ChimeraCase = ChimeraCase.from_parent(
        file, name=name, callobj=_call(case, file.config), case=case, variables=variables, models=asked
    )
    for tag in case.tags:
        item.add_marker(file.marker(tag))
    reasons = [case.skip] if case.skip else [case.skip_with(each.name) for each in asked]
    for reason in [each for each in reasons if each][:1]:
        item.add_marker(pytest.mark.skip(reason=reason))
    if case.xfail is not None:
        said: dict[str, Any] = {} if case.xfail.strict is None else {"strict": case.xfail.strict}
        item.add_marker(pytest.mark.xfail(reason=case.xfail.reason, **said))
    return item


def _call(case: SuiteCase, config: pytest.Config) -> Callable[..., None]:
    """What pytest calls: its argument names the fixture, its docstring is what `--collect-only -v` shows.

    One function for all cases where nobody looks at their docstrings: a suite may have ten thousand.
    """
    if config.option.verbose < 1:
        return _run

    def run(chimera_case: Callable[[], None]) -> None:
        __tracebackhide__ = True
        chimera_case()

    run.__doc__ = _told(case)
    return run


def _run(chimera_case: Callable[[], None]) -> None:
    __tracebackhide__ = True
    chimera_case()


def _told(case: SuiteCase) -> str:
    """A case in a few words: its description, else how its prompt begins."""
    prompt = case.fields.get("prompt")
    text = case.description or (prompt if isinstance(prompt, str) else "")
    first = terminal(next((line for line in text.splitlines() if line.strip()), "").strip())
    return first if len(first) <= _LONGEST_DOC else f"{first[: _LONGEST_DOC - 3]}..."


def _declare_tags(config: pytest.Config, suite: Suite) -> None:
    """Make markers of the tags known, so that no pytest is strict about them."""
    known = {line.partition(":")[0].partition("(")[0].strip() for line in config.getini("markers")}
    for tag in dict.fromkeys(tag for case in suite.cases for tag in case.tags):
        if tag not in known:
            config.addinivalue_line("markers", f"{tag}: a tag of {suite.path.name}")
