"""What holds of every suite, and of every text that is none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.errors import SuiteError
from pytest_chimera.plain_yaml import read_yaml
from pytest_chimera.suites.arguments import CaseArguments
from pytest_chimera.suites.schema import parse_suite, suite_schema, write_suite
from pytest_chimera.suites.schema.writing import write_yaml
from pytest_chimera.suites.suite import Skip, Suite, SuiteCase, Xfail
from pytest_chimera.suites.sweep import Arm, Sweep

PATH = Path("folder/any.chimera.yaml")

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TEXTS = ANY_TEXT.filter(str.strip)
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12).filter(str.strip)
NAMES = LINES.map(str.strip).filter(lambda name: "::" not in name and not set("[]") & set(name))
VARIABLES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
FILES = st.fixed_dictionaries({"file": TEXTS})
COUNTS = st.integers(1, 10**20)
LEVELS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "num_ctx": st.integers(-(2**63), 2**63 - 1),
        "temperature": st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2),
        "use_mmap": st.booleans(),
        "stop": st.lists(ANY_TEXT, max_size=3),
    },
)
BOUNDS = st.sampled_from(["<= 2 s", ">= 1 ms", "< 250 ms"])
LIMITS = (
    BOUNDS.map("ttft.p95 {}".format)
    | st.lists(BOUNDS.map("e2e {}".format), min_size=1, max_size=2)
    | st.fixed_dictionaries({"load": BOUNDS | st.lists(BOUNDS, min_size=1, max_size=2)})
)
GATES = st.none() | st.sampled_from(["tok/s:5%", ["ttft:20%", "tok/s >= 40"]]) | st.just({"tok/s": "5%"})
EXPECT = st.fixed_dictionaries(
    {},
    optional={
        "contains": st.lists(ANY_TEXT.filter(bool), min_size=1, max_size=3),
        "matches": st.lists(ANY_TEXT.filter(bool).map(re.escape), min_size=1, max_size=2),
        "max_words": COUNTS | st.none(),
        "no_question": st.just(value=True) | st.none(),
        "grounded_in": st.fixed_dictionaries(
            {"corpus": st.lists(TEXTS, max_size=2), "share": st.floats(0, 1, exclude_min=True)}
        ),
        "json_schema": st.just({"type": "object"}) | FILES,
    },
).filter(bool)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant", "tool"])})
    .flatmap(lambda role: st.one_of(ANY_TEXT.map(lambda text: {**role, "content": text}), FILES.map(role.__or__)))
    .flatmap(lambda said: st.just(said) | st.lists(TEXTS, min_size=1, max_size=2).map(lambda x: {**said, "images": x})),
    min_size=1,
    max_size=3,
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "persona": LINES,
    "system": TEXTS | FILES,
    "output_tokens": COUNTS,
    "options": OPTIONS,
    "format": st.just("json") | FILES | st.dictionaries(ANY_TEXT, JSON, max_size=3).filter(lambda x: "file" not in x),
    "tools": st.lists(st.dictionaries(ANY_TEXT, JSON, max_size=2), max_size=2),
    "think": st.booleans() | st.sampled_from(["low", "medium", "high", "max"]),
    "prefix": st.sampled_from(["unique", "reuse"]),
    "start": st.sampled_from(["warm", "cold"]),
    "rounds": COUNTS,
    "warmup": st.integers(0, 10**20),
    "timeout": st.floats(0, exclude_min=True, allow_infinity=False) | st.sampled_from(["2 min", "90 s"]) | COUNTS,
    "idle_timeout": st.sampled_from([1, 0.5, "250 ms"]),
    "max_failed_rounds": st.integers(0, 9),
    "keep_alive": st.integers() | TEXTS,
    "truncate": st.booleans(),
    "limits": LIMITS,
    "gate": GATES,
    "expect": EXPECT,
}
SAID = st.fixed_dictionaries({}, optional=FIELDS)
QUESTIONS = st.one_of(
    st.fixed_dictionaries({"prompt": TEXTS | FILES}, optional={"images": st.lists(TEXTS, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"messages": MESSAGES | FILES}),
    st.fixed_dictionaries({"prompt_tokens": COUNTS}),
)
TAGS = st.lists(st.sampled_from(["slow", "gpu-only", "A_1"]), max_size=2, unique=True).map(tuple)
SOME_MODELS = st.lists(LINES, min_size=1, max_size=2, unique=True).map(tuple)
MODELS = st.just(()) | SOME_MODELS
SKIPS = st.none() | st.builds(Skip, reason=TEXTS, models=MODELS)
XFAILS = st.none() | st.builds(Xfail, reason=TEXTS, strict=st.none() | st.booleans())


def no_braces(value: Any) -> Any:
    """A value in which each brace is doubled, as they are written where there are variables."""
    if isinstance(value, str):
        return value.replace("{", "{{").replace("}", "}}")
    if isinstance(value, list):
        return [no_braces(each) for each in value]
    return {name: no_braces(each) for name, each in value.items()} if isinstance(value, dict) else value


def distinct(levels: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Levels that differ as they are shown."""
    return st.lists(levels, min_size=1, max_size=3, unique_by=lambda each: str(each).lower()).map(tuple)


@st.composite
def sweeps(draw: st.DrawFn, variable: str) -> Sweep:
    """Sweeps over an option, a field and a variable."""
    found = {
        "num_ctx": draw(distinct(st.integers(1, 2**40))),
        "persona": draw(distinct(LINES)),
        variable: draw(distinct(LEVELS).filter(lambda each: "null" not in each and None not in each)),
    }
    names = draw(st.lists(st.sampled_from(list(found)), min_size=1, unique=True))
    how = draw(st.fixed_dictionaries({}, optional={"seed": st.integers(0, 99), "blocks": st.integers(3, 9)}))
    if draw(st.booleans()):
        point = {name: found[name][0] for name in names}
        return Sweep(listed=(point,), **how)
    sample = draw(st.none() | st.integers(1, 9))
    return Sweep(parameters={name: found[name] for name in names}, sample=sample, **how)


@st.composite
def cases(draw: st.DrawFn, name: str, models: tuple[str, ...], environment: tuple[str, ...]) -> SuiteCase:
    """One case with whatever it may say."""
    fields = {**draw(SAID), **draw(QUESTIONS)}
    variable = draw(VARIABLES.filter(lambda each: each not in environment))
    form = draw(st.sampled_from(["plain", "sweep", "arms"]))
    sweep = draw(sweeps(variable)) if form == "sweep" else None
    arms = draw(st.dictionaries(NAMES, SAID.flatmap(with_model), min_size=2, max_size=3)) if form == "arms" else {}
    if sweep or environment:
        texts = ("prompt", "messages", "images", "system", "format")
        schema = fields.get("format")
        fields = {key: no_braces(each) if key in texts else each for key, each in fields.items()}
        if isinstance(schema, dict) and set(schema) != {"file"}:
            fields["format"] = schema
        arms = {key: {**each, **no_braces(pick(each, texts))} for key, each in arms.items()}
    if sweep and variable in sweep.names:
        fields["system"] = f"In {{{variable}}}, {variable}."
    return SuiteCase(
        name=name,
        path=PATH,
        description=draw(TEXTS | st.just("")),
        fields=fields,
        tags=draw(TAGS),
        skips=draw(SKIPS),
        xfail=draw(XFAILS),
        models=draw(SOME_MODELS) if draw(st.booleans()) else models,
        sweep=sweep,
        arms=tuple(Arm(name=key, said=each) for key, each in arms.items()),
        environment=environment,
    )


def pick(said: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Some of the fields, without schemas written out."""
    return {
        name: each
        for name, each in said.items()
        if name in names and not (name == "format" and isinstance(each, dict) and set(each) != {"file"})
    }


def with_model(said: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """What an arm says, with a model of its own or without."""
    return st.just(said) | LINES.map(lambda model: {**said, "model": model})


@st.composite
def suites(draw: st.DrawFn) -> Suite:
    """Any suite."""
    models = draw(MODELS)
    environment = draw(st.dictionaries(VARIABLES, st.none() | ANY_TEXT, max_size=2))
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    return Suite(
        path=PATH,
        description=draw(TEXTS | st.just("")),
        models=models,
        environment=environment,
        cases=tuple(draw(cases(name, models, tuple(environment))) for name in names),
    )


SCHEMA = suite_schema()


@given(suites())
@settings(max_examples=60, deadline=None)
def test_every_suite_is_read_back_as_it_was_written(suite: Suite) -> None:
    """What is written of any suite reads as that suite, and fits the JSON Schema that editors are given."""
    text = write_suite(suite)
    assert parse_suite(text, PATH) == suite
    for case in suite.cases:
        CaseArguments.parse({name: each for name, each in case.fields.items() if name in CaseArguments.__slots__})
    jsonschema = pytest.importorskip("jsonschema")
    assert [each.message for each in jsonschema.Draft202012Validator(SCHEMA).iter_errors(read_yaml(text).plain)] == []


def outcome(text: str) -> Suite | SuiteError:
    """What came of a text."""
    try:
        return parse_suite(text, PATH)
    except SuiteError as error:
        return error


def refused_or_read(text: str) -> None:
    """Either a suite comes of a text, or the one error that begins with its place."""
    found = outcome(text)
    if isinstance(found, SuiteError):
        assert re.match(rf"{re.escape(str(PATH))}:\d+:\d+: .", str(found), re.DOTALL), str(found)


@given(st.text(max_size=60) | st.text("{}[]:-#&*!|>'\"%@`,?\n\t abc12~", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_suite_or_is_refused_with_its_place(text: str) -> None:
    """Whatever a file holds, reading it ends in a suite or in an error with file, line and column."""
    refused_or_read(text)
    refused_or_read(f"cases:\n  a: {text}")


@given(suites(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_suite_is_a_suite_or_is_refused_with_its_place(suite: Suite, data: st.DataObject) -> None:
    """A suite with pieces cut out, doubled or replaced is read or refused, and nothing else happens."""
    text = write_suite(suite)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 20)))
        piece = data.draw(
            st.just("")
            | st.sampled_from([text[start:end] * 2, "\t", "null", "[]", "{}", "? ", "&a *a", "-1", ".nan", "{x}"])
            | st.text(max_size=3)
        )
        text = text[:start] + piece + text[end:]
    refused_or_read(text)


@given(
    st.recursive(
        LEVELS,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        *FIELDS,
                        "sweep",
                        "arms",
                        "tags",
                        "skip",
                        "xfail",
                        "models",
                        "prompt",
                        "messages",
                        "file",
                        "reason",
                        "role",
                        "points",
                        "sample",
                        "seed",
                        "corpus",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
@settings(max_examples=300, deadline=None)
def test_any_values_are_a_suite_or_are_refused_with_their_place(value: Any) -> None:
    """Known fields with values of any kind in them are read or refused, and nothing else happens."""
    refused_or_read(
        write_yaml({"cases": {"a": value, "b": {"prompt": "x", **value} if isinstance(value, dict) else "x"}})
    )
    refused_or_read(write_yaml({"defaults": value, "cases": {"a": "x"}}))
