"""What a suite may say, what comes of it, and in which words the rest is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_chimera.errors import SuiteError
from pytest_chimera.suites.cases import Question
from pytest_chimera.suites.schema import parse_suite, read_suite
from pytest_chimera.suites.suite import Skip, Suite, SuiteCase, Xfail
from pytest_chimera.suites.sweep import Arm, Sweep

PATH = Path("sky.chimera.yaml")
SKY = "cases:\n  sky:\n    prompt: Why?\n"
FIELDS = (
    "persona, prompt, messages, system, images, prompt_tokens, output_tokens, options, format, tools, think, prefix, "
    "start, rounds, warmup, timeout, idle_timeout, max_failed_rounds, keep_alive, truncate, limits, gate, expect"
)
WHOLE = """\
# a comment
description: Everything that a suite may say
models: [gemma3, 'qwen3:4b']
environment: {LANGUAGE: German, USER: null}
defaults:
  rounds: 3
  options: {num_ctx: 2048, temperature: 0}
  limits: [ttft <= 2 s, tok/s >= 30]
  expect: {max_words: 50, no_question: true}
  tags: [nightly]
cases:
  bare: Why is the sky blue?
  whole:
    description: All of it
    models: [tiny]
    persona: insight-agent
    prompt: Answer in {LANGUAGE} about {city}, {{briefly}}.
    system: Be kind.
    images: [cat.png]
    output_tokens: 64
    options: {temperature: 0.2, stop: [END]}
    format: json
    tools: [{type: function}]
    think: on
    prefix: reuse
    start: cold
    rounds: 5
    warmup: 0
    timeout: 2 min
    idle_timeout: 10
    max_failed_rounds: 1
    keep_alive: 10m
    truncate: false
    limits: {ttft: <= 1 s}
    gate: null
    expect: {contains: Paris}
    sweep: {city: [Paris, Rome], num_ctx: [512, 1024], seed: 7}
    tags: [slow]
    skip: {models: [tiny], reason: too small}
    xfail: {reason: known, strict: true}
  compared:
    prompt_tokens: 128
    gate: {tok/s: 5%}
    arms:
      small: {model: a}
      large: {model: b, options: {num_batch: 64}}
    skip: not now
    xfail: known
"""


def refused(text: str) -> str:
    """The whole text of the refusal."""
    with pytest.raises(SuiteError) as caught:
        parse_suite(text, PATH)
    return str(caught.value)


def only(text: str) -> SuiteCase:
    """The only case of a suite."""
    (case,) = parse_suite(text, PATH).cases
    return case


def test_everything_that_is_said_is_read_over_the_defaults() -> None:
    """Each field is there in plain values: options and expectations merged by name, limits by what they bound."""
    shared: dict[str, Any] = {
        "rounds": 3,
        "options": {"num_ctx": 2048, "temperature": 0},
        "limits": ["ttft <= 2 s", "tok/s >= 30"],
        "expect": {"max_words": 50, "no_question": True},
    }
    models = ("gemma3", "qwen3:4b")
    environment = ("LANGUAGE", "USER")
    assert parse_suite(WHOLE, PATH) == Suite(
        path=PATH,
        description="Everything that a suite may say",
        models=models,
        environment={"LANGUAGE": "German", "USER": None},
        cases=(
            SuiteCase(
                name="bare",
                path=PATH,
                fields={**shared, "prompt": "Why is the sky blue?"},
                tags=("nightly",),
                models=models,
                environment=environment,
            ),
            SuiteCase(
                name="whole",
                path=PATH,
                description="All of it",
                models=("tiny",),
                environment=environment,
                fields={
                    "persona": "insight-agent", "prompt": "Answer in {LANGUAGE} about {city}, {{briefly}}.",
                    "system": "Be kind.", "images": ["cat.png"], "output_tokens": 64,
                    "options": {"num_ctx": 2048, "temperature": 0.2, "stop": ["END"]}, "format": "json",
                    "tools": [{"type": "function"}], "think": True, "prefix": "reuse", "start": "cold", "rounds": 5,
                    "warmup": 0, "timeout": "2 min", "idle_timeout": 10, "max_failed_rounds": 1, "keep_alive": "10m",
                    "truncate": False, "limits": ["tok/s >= 30", "ttft <= 1 s"], "gate": None,
                    "expect": {"max_words": 50, "no_question": True, "contains": ["Paris"]},
                },
                sweep=Sweep(parameters={"city": ("Paris", "Rome"), "num_ctx": (512, 1024)}, seed=7),
                tags=("slow",),
                skips=Skip(reason="too small", models=("tiny",)),
                xfail=Xfail(reason="known", strict=True),
            ),
            SuiteCase(
                name="compared",
                path=PATH,
                fields={**shared, "prompt_tokens": 128, "gate": {"tok/s": "5%"}},
                arms=(
                    Arm(name="small", said={"model": "a"}),
                    Arm(name="large", said={"model": "b", "options": {"num_batch": 64}}),
                ),
                tags=("nightly",),
                skips=Skip(reason="not now"),
                xfail=Xfail(reason="known"),
                models=models,
                environment=environment,
            ),
        ),
    )  # fmt: skip


def test_each_field_knows_its_place() -> None:
    """Lines and columns are those of the names, of defaults and of arms as well."""
    bare, _, compared = parse_suite(WHOLE, PATH).cases
    assert (bare.line, bare.column) == (12, 3)
    assert bare.places == {
        "rounds": (6, 3), "options": (7, 3), "limits": (8, 3), "expect": (9, 3), "tags": (10, 3), "prompt": (12, 9),
    }  # fmt: skip
    assert compared.places["arms.large.options"] == (46, 25)
    assert compared.place("arms.large.options") == "sky.chimera.yaml:46:25"
    assert compared.place("persona") == "sky.chimera.yaml:41:3"


def test_a_case_takes_the_place_of_what_cannot_stand_beside_it() -> None:
    """A prompt, messages or a size drop what defaults ask instead; num_predict and output_tokens drop each other."""
    said = "defaults: {prompt: Why?, images: [cat.png], options: {num_predict: 9, seed: 1}}\ncases:\n"
    text = (
        said
        + "  a: {messages: [{role: user, content: x}]}\n  b: {prompt_tokens: 5, output_tokens: 7}\n"
        + "  c: {sweep: {prompt_tokens: [1, 2]}}\n"
    )
    assert [dict(each.fields) for each in parse_suite(text, PATH).cases] == [
        {"messages": [{"role": "user", "content": "x"}], "options": {"num_predict": 9, "seed": 1}},
        {"prompt_tokens": 5, "output_tokens": 7, "images": ["cat.png"], "options": {"seed": 1}},
        {"images": ["cat.png"], "options": {"num_predict": 9, "seed": 1}},
    ]
    arms = only(SKY + "    output_tokens: 5\n    arms: {a: {options: {num_predict: 3}}, b: {prompt_tokens: 7}}\n")
    assert [dict(arms.with_arm(arm).fields) for arm in arms.arms] == [
        {"prompt": "Why?", "options": {"num_predict": 3}},
        {"output_tokens": 5, "prompt_tokens": 7},
    ]


def test_a_skip_may_be_for_some_models_only() -> None:
    """A name without a tag means any tag of the model; a skip without models is one with all."""
    some = only(SKY + "    skip: {models: [tiny, 'gemma3:1b'], reason: too small}\n")
    assert some.skip is None
    assert [some.skip_with(each) for each in ("tiny", "tiny:latest", "gemma3:1b", "gemma3:4b")] == [
        "too small",
        "too small",
        "too small",
        None,
    ]
    every = only(SKY + "    skip: no GPU\n")
    assert (every.skip, every.skip_with("tiny"), only(SKY).skip_with("tiny")) == ("no GPU", "no GPU", None)


def test_options_that_a_person_lets_through_are_no_mistakes() -> None:
    """A name of `allowed_options` may stand among the options and vary in a sweep."""
    text = SKY + "    options: {flash: 3}\n    sweep: {turbo: [1, 2]}\n"
    (case,) = parse_suite(text, PATH, ("flash", "turbo")).cases
    assert (case.fields["options"], case.sweep) == ({"flash": 3}, Sweep(parameters={"turbo": (1, 2)}))
    assert refused(text).startswith("sky.chimera.yaml:4:15: 'flash' is not an option that Ollama knows")


def test_the_question_is_made_of_texts_and_files(tmp_path: Path) -> None:
    """Variables are filled in texts and paths, files are read as they stand, and images keep their paths."""
    for name, text in {"de.txt": "Warum {x}?\r\n", "s.json": '{"type": "object"}', "cat.png": "x"}.items():
        (tmp_path / name).write_bytes(text.encode())
    (tmp_path / "talk.yaml").write_text(
        "- {role: user, content: '{x}', images: [cat.png]}\n- {role: user, file: de.txt}"
    )
    path = tmp_path / "a.chimera.yaml"
    path.write_bytes(
        b"\xef\xbb\xbfenvironment: [CITY]\r\ncases:\r\n"
        b"  a: {prompt: {file: '{tongue}.txt'}, system: 'In {CITY}, {{x}}', images: [cat.png], format: {file: s.json},"
        b" tools: [{type: function}], sweep: {tongue: [de]}}\r\n"
        b"  b: {messages: {file: talk.yaml}}\r\n"
    )
    suite = read_suite(path)
    variables = {**suite.variables({"CITY": "Rome", "HOME": "/"}), "tongue": "de"}
    assert variables == {"CITY": "Rome", "tongue": "de"}
    assert [each.question(tmp_path, variables) for each in suite.cases] == [
        Question(
            prompt="Warum {x}?\n",
            system="In Rome, {x}",
            images=[tmp_path / "cat.png"],
            format={"type": "object"},
            tools=[{"type": "function"}],
        ),
        Question(
            messages=[
                {"role": "user", "content": "{x}", "images": [tmp_path / "cat.png"]},
                {"role": "user", "content": "Warum {x}?\n"},
            ]
        ),
    ]


def test_braces_are_braces_where_there_are_no_variables() -> None:
    """A case without variables sends its texts as they stand."""
    case = only("cases: {a: 'Fill {name} in {{this}}'}")
    assert case.question(Path(), {}) == Question(prompt="Fill {name} in {{this}}")


def test_the_files_of_expectations_count_from_the_suite(tmp_path: Path) -> None:
    """A schema in a file is read, and the corpus of a grounding gets the folder of the suite before it."""
    (tmp_path / "s.yaml").write_text("type: object\n")
    (tmp_path / "data").mkdir()
    text = SKY + "    rounds: 2\n    expect: {json_schema: {file: s.yaml}, grounded_in: data}\n"
    (case,) = parse_suite(text, tmp_path / "a.chimera.yaml").cases
    assert case.arguments == {
        "rounds": 2,
        "expect": {
            "json_schema": {"type": "object"},
            "grounded_in": {"corpus": [str(tmp_path / "data")], "share": 1.0},
        },
    }


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("prompt: {file: none.txt}", "{0}:1:13: the file '{1}/none.txt' cannot be read: there is no such file."),
        ("prompt: {file: ''}", None),
        ("prompt: {file: .}", "{0}:1:13: the file '{1}' cannot be read: it is no file."),
        ("prompt: {file: empty.txt}", "{0}:1:13: the file 'empty.txt' is empty. Accepted: a text. Fill it."),
        ("prompt: {file: latin.txt}", "{0}:1:13: {1}/latin.txt is not UTF-8. Accepted: text in UTF-8. Save it so."),
        ("prompt: x, format: {file: bad.json}", "{1}/bad.json:1:2: Expecting property name enclosed in double quotes."),
        ("prompt: x, format: {file: list.yaml}", "{1}/list.yaml:1:1: this is no JSON schema. Accepted: a mapping."),
        ("messages: {file: list.yaml}", "{1}/list.yaml:1:2: a message is 'a'. Accepted: a list of messages, each with"),
        ("prompt: x, images: [none.png]", "{0}:1:24: the file '{1}/none.png' cannot be read: there is no such file."),
        ("messages: [{role: user, content: x, images: [no.png]}]", "{0}:1:13: the file '{1}/no.png' cannot be read"),
    ],
)
def test_files_that_cannot_be_used_are_refused_where_they_are_named(
    tmp_path: Path, case: str, message: str | None
) -> None:
    """A file that is missing or not what it should be is refused with the place of its field, or with its own."""
    for name, content in {"empty.txt": b" \n", "latin.txt": b"\xe4", "bad.json": b"{,}", "list.yaml": b"[a]"}.items():
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "a.chimera.yaml"
    if message is None:
        with pytest.raises(SuiteError, match="the file of prompt is ''"):
            parse_suite(f"cases: {{a: {{{case}}}}}", path)
        return
    (read,) = parse_suite(f"cases: {{a: {{{case}}}}}", path).cases
    with pytest.raises(SuiteError) as caught:
        read.question(tmp_path, {})
    assert str(caught.value).startswith(message.format(path, tmp_path))


def test_a_variable_without_a_value_is_refused() -> None:
    """A variable of the environment that is not set and has no default is refused when the question is made."""
    suite = parse_suite("environment: [CITY]\ncases:\n  a: In {CITY}\n", PATH)
    with pytest.raises(SuiteError) as caught:
        suite.cases[0].question(Path(), suite.variables({}))
    assert str(caught.value) == (
        "sky.chimera.yaml:3:6: prompt: {CITY} has no value: there is no environment variable 'CITY'. Accepted: "
        "variables that are set, or that have a default in 'environment'. Set it, or write environment: "
        "{CITY: default}."
    )


def test_a_suite_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """A file that is missing or not UTF-8 is refused in words."""
    path = tmp_path / "a.chimera.yaml"
    with pytest.raises(SuiteError) as caught:
        read_suite(path)
    assert str(caught.value) == f"The suite {path} cannot be read: No such file or directory. Correct it."
    path.write_bytes(b"cases:\n  a: \xe4\n")
    with pytest.raises(SuiteError) as caught:
        read_suite(path)
    assert str(caught.value) == f"{path}:2:1: this is not UTF-8. Accepted: YAML in UTF-8. Save it so."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: a suite is empty. Accepted: a mapping with cases. Write it as in cases: {sky: Why is it blue?}."),
        (
            "- a",
            ("1:1: a suite is a list. Accepted: a mapping with cases. Write it as in cases: {sky: Why is it blue?}."),
        ),
        (
            "case: {}",
            (
                "1:1: a suite has the unknown field 'case'. Accepted: description, models, environment, "
                "defaults, cases. "
                "Did you mean 'cases'?"
            ),
        ),
        (
            SKY + "persona: x",
            (
                "4:1: a suite has the unknown field 'persona'. Accepted: description, models, environment, defaults, "
                "cases. Put persona under defaults, or into a case."
            ),
        ),
        ("models: [a]", "1:1: the suite has no cases. Accepted: cases by name. Add cases."),
        (
            "cases: [a]",
            (
                "1:8: cases is a list. Accepted: a mapping of names and cases. Write it as in cases: "
                "{sky: 'Why is the sky blue?'}."
            ),
        ),
        (
            "cases:\n  'a[b]': x",
            (
                "2:3: the name of a case is 'a[b]'. Accepted: a text in one line without '::', '[' and ']', because it "
                "stands in the ids of tests. Call it otherwise."
            ),
        ),
        ("cases: {a: 3}", "1:12: the case 'a' is 3. Accepted: a prompt, or a mapping of fields. Correct the case 'a'."),
        (
            "cases: {a: {promt: x}}",
            (
                "1:13: the case 'a' has the unknown field 'promt'. Accepted: description, models, "
                f"{FIELDS}, sweep, arms, tags, skip, xfail. Did you mean 'prompt'?"
            ),
        ),
        (
            "cases: {a: {rounds: 3}}",
            (
                "1:9: the case 'a' asks nothing. Accepted: a prompt, messages or prompt_tokens, in the case or under "
                "defaults. Write it as in prompt: Why is the sky blue?"
            ),
        ),
        (
            "cases: {a: {arms: {x: {prompt: y}, z: {}}}}",
            (
                "1:13: the arm 'z' asks nothing. Accepted: a prompt, messages or prompt_tokens, in the case or under "
                "defaults. Write it as in prompt: Why is the sky blue?"
            ),
        ),
        (SKY + "    rounds: 3.0", "4:13: rounds is 3.0. Accepted: a whole number, 1 or more. Correct rounds."),
        (SKY + "    rounds: true", "4:13: rounds is true. Accepted: a whole number, 1 or more. Correct rounds."),
        (SKY + "    persona: null", "4:14: persona is empty. Accepted: a name in one line. Correct persona."),
        (
            SKY + "    system: 42",
            "4:13: system is 42. Accepted: a text, or {file: path}. Put it into quotes if it is meant as text.",
        ),
        (
            "cases: {a: {prompt: {name}}}",
            (
                "1:21: prompt is a mapping with 'name'. Accepted: {file: path} where it is no text. Put a "
                "text with braces "
                "or a colon into quotes."
            ),
        ),
        (
            SKY + "    think: deep",
            ("4:12: think is 'deep'. Accepted: true, false, on, off, low, medium, high, max. Correct think."),
        ),
        (SKY + "    prefix: any", "4:13: prefix is 'any'. Accepted: unique or reuse. Correct prefix."),
        (SKY + "    truncate: 1", "4:15: truncate is 1. Accepted: true or false. Correct truncate."),
        (
            SKY + "    timeout: soon",
            (
                "4:14: timeout='soon' is not usable. Accepted: seconds above 0, or a text such as '90 s' or '2 min'. "
                "Correct timeout."
            ),
        ),
        (
            SKY + "    keep_alive: []",
            (
                "4:17: keep_alive is an empty list. Accepted: seconds as a whole number, or a text such as 10m. "
                "Correct keep_alive."
            ),
        ),
        (
            SKY + "    options: {num_ctx: big}",
            "4:24: Option 'num_ctx' got 'big'. Accepted: an integer. Write it as in 'num_ctx=4096'.",
        ),
        (
            SKY + "    limits:\n      - tok/s >= 30\n      - ttft 3",
            (
                "6:9: limits: The limit 'ttft 3' cannot be read. Accepted: METRIC[.STATISTIC] OPERATOR "
                "BOUND with one of "
                "the operators <, <=, >, >=. Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
            ),
        ),
        (
            SKY + "    limits:",
            "4:12: limits is empty. Accepted: a value. Leave limits out to say nothing.",
        ),
        (
            SKY + "    gate: {tok/s: fast}",
            (
                "4:12: gate: The gate 'tok/s:fast' has no readable threshold: 'fast'. Accepted: a "
                "percentage from 0, with "
                "its %. Write it as in 'tok/s:5%', 'ttft.p95:20%' or 'tok/s >= 40'."
            ),
        ),
        (
            SKY + "    expect: {max_words: x}",
            "4:14: expect max_words='x' is not usable. Accepted: a whole number, 1 or more. Correct max_words.",
        ),
        (
            "defaults: {expect: {max_words: 3}}\n" + SKY + "    expect: {min_words: 5}",
            "5:5: min_words is 5 and max_words 3. Accepted: min_words up to max_words.",
        ),
        (
            SKY + "    messages: [{role: user, content: x}]",
            "4:5: prompt and messages stand beside each other. Accepted: one of them. Leave messages out.",
        ),
        (
            "cases: {a: {messages: [{role: me, content: x}]}}",
            (
                "1:31: the role of a message is 'me'. Accepted: system, user, assistant, tool. Write it as in "
                "[{role: user, content: Hello}]."
            ),
        ),
        (
            SKY + "    sweep: {prompt_tokens: [1, 2]}",
            "4:5: prompt and prompt_tokens stand beside each other. Accepted: one of them. Leave prompt_tokens out.",
        ),
        (
            SKY + "    output_tokens: 5\n    options: {num_predict: 5}",
            (
                "5:5: output_tokens and num_predict stand beside each other. Accepted: one of them. Leave "
                "num_predict out: "
                "output_tokens sets it."
            ),
        ),
        (
            SKY + "    sweep: {num_ctx: [1]}\n    arms: {a: {}, b: {}}",
            "5:5: sweep and arms stand beside each other. Accepted: one of them.",
        ),
        (
            SKY + "    sweep: {num_ctxx: [1]}",
            (
                "4:13: the sweep varies 'num_ctxx', which is no model option, no field and in no text of this case. "
                "Accepted: a model option, one of the fields model, persona, think, prompt_tokens, "
                "output_tokens, prefix, "
                "truncate, keep_alive, or a variable that a text uses as {name}. Did you mean 'num_ctx'?"
            ),
        ),
        (
            SKY + "    sweep: {num_ctx: [a]}",
            "4:23: Option 'num_ctx' got 'a'. Accepted: an integer. Write it as in 'num_ctx=4096'.",
        ),
        (
            SKY + "    sweep: {think: [true, on]}",
            (
                "4:12: the parameter 'think' of the sweep has the level true more than once. Accepted: parameters with "
                "their levels, as in {num_ctx: [512, 2048], temperature: [0.2, 0.8]}, or points. Correct the sweep."
            ),
        ),
        (
            "cases: {a: {prompt: '{city} {cit}', sweep: {city: [x]}}}",
            "1:13: prompt: {cit} is no variable of this case. Known: city. Did you mean 'city'?",
        ),
        (
            "cases: {a: {prompt: '{city} }', sweep: {city: [x]}}}",
            (
                "1:13: prompt: it has a single '}', and this case has variables (city). Accepted: {name} "
                "for a variable, "
                "{{ and }} for braces. Write it twice: '}}'."
            ),
        ),
        (
            "environment: [A]\ncases: {a: {prompt: '{A}', sweep: {A: [x]}}}",
            "2:28: 'A' is a name of 'environment' too. Accepted: each once. Rename it.",
        ),
        (
            SKY + "    arms: {a: {}}",
            (
                "4:11: arms is a single one. Accepted: two or more named variants of the case. Write it as in arms: "
                "{small: {model: x}, large: {model: y}}."
            ),
        ),
        (
            SKY + "    arms: {a: {}, b: {models: [x]}}",
            f"4:23: the arm 'b' has the unknown field 'models'. Accepted: model, {FIELDS}. Did you mean 'model'?",
        ),
        (
            SKY + "    tags: [skip]",
            (
                "4:12: tags has 'skip', which means something else to pytest. Accepted: names of your own. "
                "Write it as in "
                "skip: reason."
            ),
        ),
        (
            SKY + "    skip: true",
            ("4:11: skip is true. Accepted: a reason, as a text. Write it as in skip: needs a GPU."),
        ),
        (SKY + "    xfail: {strict: true}", "4:12: the reason of xfail is a mapping. Accepted: a text. Say why."),
        (
            "models: a\n" + SKY,
            ("1:9: models is 'a'. Accepted: a list of models. Write it as in models: [first, second]."),
        ),
        (
            "environment: [A-B]\n" + SKY,
            "1:15: environment has 'A-B'. Accepted: a list of names of letters, digits and '_'. Correct environment.",
        ),
        (
            SKY + "    prompt: again",
            (
                "4:5: 'prompt' stands here a second time; first in line 3. Accepted: each key once. Leave one "
                "of them out."
            ),
        ),
        (
            SKY + "\trounds: 3",
            ("4:1: a tab stands where YAML wants spaces. Accepted: spaces. Replace the tab by spaces."),
        ),
        (
            "cases: !!python/name:x {}",
            (
                "1:8: 'tag:yaml.org,2002:python/name:x' is a tag. Accepted: plain values without tags. Leave "
                "the tag out."
            ),
        ),
        ("cases: {a: &x y, b: *x}", "1:21: *x is an alias. Accepted: the value itself. Write it out."),
    ],
)
def test_what_is_no_suite_is_refused_at_its_place(text: str, message: str) -> None:
    """A mistake is refused with file, line and column, what is accepted, and the nearest known name."""
    assert refused(text) == f"sky.chimera.yaml:{message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a" * 300 + ": 1", "1:1: a suite has the unknown field"),
        (f"cases: {{a: {{prompt: x, limits: 'ttft <= 1{' ' * 10**6}x'}}}}", "1:32: limits is 'ttft <= 1"),
        (
            f"cases: {{a: {{prompt: x, limits: [{'ttft <= 1 s,' * 2000}]}}}}",
            "1:32: limits has 2,000 entries. Accepted: 1,000 at most. Leave some out.",
        ),
        (
            f"cases: {{a: {{prompt: x, sweep: {{num_ctx: [{','.join(map(str, range(5000)))}]}}}}}}",
            "1:32: the sweep has far too many points. Accepted: 2,000 in all. Vary less.",
        ),
        (
            "cases: {a: {prompt: x, sweep: {sample: 5, " + ",".join(f"p{each}: [1, 2]" for each in range(90)) + "}}}",
            "1:501: the sweep has far too many points. Accepted: 2,000 in all. Vary less.",
        ),
        (
            "cases: {a: {prompt: x, arms: {" + ",".join(f"p{each}: {{}}" for each in range(200)) + "}}}",
            "1:30: arms has 200 entries. Accepted: 100 at most. Leave some out.",
        ),
        (
            "environment: [" + ",".join(f"p{each}" for each in range(2000)) + "]\ncases: {a: x}",
            "1:14: environment has 2,000 entries. Accepted: 1,000 at most. Leave some out.",
        ),
    ],
    ids=range(7),
)
def test_what_would_take_more_time_than_its_length_is_refused(text: str, message: str) -> None:
    """Lists that are held against each other, and texts that are read as expressions, have a largest size."""
    assert refused(text).startswith(f"sky.chimera.yaml:{message}")


def test_a_sample_is_drawn_from_a_grid_of_any_size() -> None:
    """A few points of a grid far too large to be made are those of that grid, the same ones each time."""
    names = [f"p{each}" for each in range(39)]
    texts = "".join(f"{{{each}}}" for each in names)
    said = ", ".join(f"{each}: [1, 2]" for each in names)
    sweep = only(f"cases: {{a: {{prompt: '{texts}', sweep: {{sample: 5, {said}}}}}}}").sweep
    assert sweep is not None
    assert sweep.points == sweep.points
    assert len({tuple(each.items()) for each in sweep.points}) == 5
    assert all(list(each) == names and set(each.values()) <= {1, 2} for each in sweep.points)
    small = {"a": (1, 2, 3), "b": ("x", "y")}
    grid = Sweep(parameters=small).points
    assert [each for each in grid if each in Sweep(parameters=small, sample=4, seed=3).points] == list(
        Sweep(parameters=small, sample=4, seed=3).points
    )
