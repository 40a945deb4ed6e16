"""From the text of a file to its suite, or to the one error that says where it is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import SuiteError
from pytest_chimera.suites.merging import merged
from pytest_chimera.suites.schema.checking import check_case
from pytest_chimera.suites.schema.fields import check_name, read_fields, unknown
from pytest_chimera.suites.schema.kinds import SuiteSource, refuse
from pytest_chimera.suites.schema.tables import CASE, DEFAULTS, SUITE
from pytest_chimera.suites.sources import Places, shown
from pytest_chimera.suites.suite import Suite, SuiteCase
from pytest_chimera.suites.sweep import Arm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_chimera.plain_yaml import Node
    from pytest_chimera.suites.schema.tables import Said

_NOTHING: Said = ({}, {})
_APART = ("description", "models", "sweep", "arms", "tags", "skip", "xfail")
"""Fields that `SuiteCase` has attributes for."""


def read_suite(path: Path, allowed_options: Sequence[str] = ()) -> Suite:
    """The suite in a file; `allowed_options` are model options beside those of Ollama.

    Raises SuiteError: "FILE:LINE:COLUMN: what is wrong. Accepted: ... What to do."
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SuiteError(f"The suite {path} cannot be read: {error.strerror}.", "", "Correct it.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SuiteError(f"{path}:{line}:1: this is not UTF-8.", "Accepted: YAML in UTF-8.", "Save it so.") from None
    return parse_suite(text, path, allowed_options)


def parse_suite(text: str, path: Path, allowed_options: Sequence[str] = ()) -> Suite:
    """The suite that `text`, the content of `path`, is. Raises SuiteError."""
    source = SuiteSource(path, tuple(allowed_options))
    root = source.read(text)
    _check_top(root, source)
    said, _ = read_fields(root, SUITE, "a suite", source)
    reader = _Cases(source, said)
    nodes = said["cases"].value
    cases = tuple(reader.read(name, nodes.pop(name)) for name in list(nodes))  # no node is kept beside its case
    return Suite(
        path=path,
        description=said.get("description", ""),
        models=said.get("models", ()),
        environment=said.get("environment", {}),
        cases=cases,
    )


def _check_top(root: Node, source: SuiteSource) -> None:
    """Refuse what is no suite, and fields of a case that stand beside the cases."""
    if not isinstance(root.value, dict):
        raise refuse(root, "a suite", source, "a mapping with cases", "Write it as in cases: {sky: Why is it blue?}.")
    for name, node in root.value.items():
        if name in DEFAULTS and name not in SUITE:
            raise unknown(name, node, SUITE, source, what="a suite", hint=f"Put {name} under defaults, or into a case.")
    if "cases" not in root.value:
        for name, node in root.value.items():
            if name not in SUITE:
                raise unknown(name, node, SUITE, source, what="a suite")
        raise source.refuse(root, "the suite has no cases.", "Accepted: cases by name.", "Add cases.")


class _Cases:
    """The cases of one suite, each over what holds for all."""

    def __init__(self, source: SuiteSource, said: Mapping[str, Any]) -> None:
        self.source = source
        self.defaults, self.default_places = said.get("defaults", _NOTHING)
        self.models: tuple[str, ...] = said.get("models", ())
        self.environment = tuple(said.get("environment", ()))
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def read(self, name: str, node: Node) -> SuiteCase:
        """One case, checked."""
        check_name(name, node, "a case", self.source)
        if isinstance(node.value, str) and node.value.strip():
            own: Said = ({"prompt": node.value}, {"prompt": (node.line, node.column)})
        elif isinstance(node.value, dict):
            own = read_fields(node, CASE, f"the case {shown(name)}", self.source)
        else:
            raise refuse(node, f"the case {shown(name)}", self.source, "a prompt, or a mapping of fields")
        case = self._case(name, node, own)
        sweep = node.value.get("sweep") if isinstance(node.value, dict) else None
        check_case(case, self.source, sweep)
        return case

    def _case(self, name: str, node: Node, own: Said) -> SuiteCase:
        self._check_one(own[0], own[1])
        said = self._merged(own[0])
        places = {**self.default_places, **own[1]}
        arms: Mapping[str, Said] = said.get("arms", {})
        for arm, (_, of_arm) in arms.items():
            places.update({f"arms.{arm}.{each}": place for each, place in of_arm.items()})
        apart = {each: said.pop(each) for each in _APART if each in said}
        return SuiteCase(
            name=name,
            path=self.source.path,
            line=node.key_line,
            column=node.key_column,
            description=apart.get("description", ""),
            fields=said,
            places=self._packed(places),
            tags=apart.get("tags", ()),
            skips=apart.get("skip"),
            xfail=apart.get("xfail"),
            models=apart.get("models", self.models),
            sweep=apart.get("sweep"),
            arms=tuple(Arm(name=arm, said=each) for arm, (each, _) in arms.items()),
            environment=self.environment,
        )

    def _packed(self, places: Mapping[str, tuple[int, int]]) -> Places:
        """The places in less memory: cases that say the same fields share their names."""
        names = tuple(places)
        return Places(self._names.setdefault(names, names), places.values())

    def _merged(self, own: dict[str, Any]) -> dict[str, Any]:
        """What the case says over the defaults; a sweep over prompt_tokens takes the place of a prompt in them."""
        defaults = self.defaults
        if "sweep" in own and "prompt_tokens" in own["sweep"].names and not {"prompt", "messages"} & set(own):
            defaults = {name: each for name, each in defaults.items() if name not in {"prompt", "messages"}}
        return merged(defaults, own)

    def _check_one(self, own: Mapping[str, Any], places: Mapping[str, tuple[int, int]]) -> None:
        if "sweep" in own and "arms" in own:
            place = max(places["sweep"], places["arms"])
            raise self.source.refuse(place, "sweep and arms stand beside each other.", "Accepted: one of them.", "")
