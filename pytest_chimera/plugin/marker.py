"""The marker `@pytest.mark.chimera(...)`: who bears it, and what it says about an item.

Every item that uses a fixture of ours bears it, so that `-m 'not chimera'` keeps model runs out. What an argument means
is checked in `suites.arguments`; here its file and line are put before the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_chimera.plugin.settings import Settings
    from pytest_chimera.suites.arguments import CaseArguments

NARRATING = "chimera_narrate"
"""The fixture of tests in which a model writes; `--chimera-no-narrative` skips them."""
FIXTURES = (
    *("chimera", "chimera_case", "chimera_model", "ollama_client", "chimera_persona", "chimera_engine"),
    *("chimera_report", "chimera_corpus", "chimera_probe", NARRATING),
)
PLAN = "chimera_plan"
"""The attribute of a test under `@chimera_given`, as in `properties`, which not every run imports."""
MARKER = (
    "chimera(rounds=, warmup=, options=, persona=, think=, prefix=, start=, timeout=, max_failed_rounds=, "
    "limits=, gate=, ...): measure a language model, and how; every test that uses a chimera fixture bears this marker"
)
_WITHOUT_PROBE = (
    "The test is under @chimera_given(...), but asks nothing with the fixture 'chimera_probe', so no limit is held. "
    "Accepted: tests that call chimera_probe(...). Use it, or @given of Hypothesis."
)


def uses_chimera(item: pytest.Item) -> bool:
    """Whether a fixture of ours is among those of the item, or a property would need one."""
    return not set(FIXTURES).isdisjoint(getattr(item, "fixturenames", ())) or _is_property(item)


def _is_property(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and hasattr(item.obj, PLAN)


def mark(item: pytest.Item, *, no_narrative: bool) -> None:
    """Give the marker to an item that uses a fixture of ours; before pytest looks at `-m`."""
    if not uses_chimera(item):
        return
    item.add_marker(pytest.mark.chimera)
    if no_narrative and NARRATING in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.skip(reason="no model writes in this run (--chimera-no-narrative)"))


def check(item: pytest.Item) -> None:
    """Fail the item, in its setup and without a traceback, when its marker cannot be used."""
    if _is_property(item) and "chimera_probe" not in getattr(item, "fixturenames", ()):
        raise pytest.fail.Exception(_WITHOUT_PROBE, pytrace=False)
    if not any(marker.args or marker.kwargs for marker in item.iter_markers("chimera")):
        return
    from pytest_chimera.errors import UserError  # noqa: PLC0415  # every run imports this module

    try:
        of_item(item)
    except UserError as error:
        refused = pytest.fail.Exception(str(error), pytrace=False)
    else:
        return
    raise refused


def of_item(item: pytest.Item) -> CaseArguments:
    """What the markers of an item say, the nearest (function before class before module) first.

    Raises UserError with file and line.
    """
    from pytest_chimera.errors import UserError  # noqa: PLC0415  # every run imports this module
    from pytest_chimera.suites.arguments import CaseArguments  # noqa: PLC0415  # same

    merged = CaseArguments()
    try:
        for marker in item.iter_markers("chimera"):
            merged = merged.over(CaseArguments.parse(marker.kwargs, args=marker.args))
        _refuse_idle_limits(item, merged)
    except UserError as error:
        path, line, _ = item.reportinfo()
        file = item.nodeid.split("::", maxsplit=1)[0] or str(path)
        place = file if line is None else f"{file}:{line + 1}"
        raise type(error)(f"{place}: {error.what}", error.accepted, error.next_step) from None
    return merged


def _refuse_idle_limits(item: pytest.Item, said: CaseArguments) -> None:
    """A limit that nothing would ever be held against must not look as if it held."""
    fixtures = getattr(item, "fixturenames", ())
    limits = said.limits and "chimera_probe" not in fixtures  # it holds them, and knows no gate
    if (limits or said.gate) and {"chimera", "chimera_case"}.isdisjoint(fixtures):
        from pytest_chimera.errors import MarkerError  # noqa: PLC0415  # every run imports this module

        name = "limits" if limits else "gate"
        raise MarkerError(
            f"@pytest.mark.chimera(...) has {name}, but the test measures no case with the fixture 'chimera'.",
            f"Accepted: {name} on tests that call chimera(...).",
            f"Use the fixture 'chimera', or leave {name} out.",
        )


def of_settings(settings: Settings) -> CaseArguments:
    """What the command line, environment and ini file say; silent where nobody set anything."""
    from pytest_chimera.suites.arguments import CaseArguments  # noqa: PLC0415  # only where a case runs

    kwargs = {name: getattr(settings, name) for name in ("rounds", "warmup", "think", "prefix", "timeout")}
    if settings.option:
        kwargs["options"] = settings.option
    if settings.limit:
        kwargs["limits"] = list(settings.limit)
    return CaseArguments.parse(kwargs, where="the settings")
