"""Whatever stands in a name, prompt, option, error or persona: the report keeps its shape and nothing in it acts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.records import Failure, Message
from pytest_chimera.report import Report, ReportInput, build_report

if TYPE_CHECKING:
    from pytest_chimera.records import CaseResult

markdown_it = pytest.importorskip("markdown_it")
PARSER = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table")

HOSTILE = {
    "pipes": "a | b || \\| \\\\| c",
    "code": "` `` ``` ```` `x`",
    "image": "![alt](https://evil.example/pixel.png)",
    "link": "[click](javascript:alert) <https://evil.example> https://evil.example www.evil.example",
    "reference": "[F00000000] [x]: https://evil.example",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "comment": "<!-- --> -->  <!DOCTYPE x> <?php ?> <![CDATA[",
    "ansi": "\x1b[2J\x1b]8;;https://evil.example\x07x\x1b]8;;\x07 \x9b31m",
    "lines": "a\n\n# heading\n\n- item\n\n| a | b |\n| - | - |\n\r\n```\n~~~\n    code\x85\u2028\u2029",
    "bidi": "\u202e\u2066 abc \u2069 \u200f\u061c",
    "surrogate": "\ud800 \udfff \U000e0041",
    "end": "\\",
    "empty": "",
    "spaces": "   ",
    "long": "x|`" * 3000,
}


def spoilt(session: ReportInput, text: str) -> ReportInput:
    """The session with `text` in every field that comes from elsewhere."""
    return replace(
        session,
        results=tuple(_spoilt(result, text, number) for number, result in enumerate(session.results[2:])),
        suite=text,
        personas={f"{text}1": text, "other": f"x{text}"},
        configuration={f"a{text}": text, f"b{text}": "default"},
        hardware={f"c{text}": text, f"d{text}_bytes": 1024},
        versions={f"e{text}": text},
        phases={f"f{text}": 1.5},
        notes=(f"Note {text}",),
    )


def _spoilt(result: CaseResult, text: str, number: int) -> CaseResult:
    model = replace(
        result.case.model,
        **dict.fromkeys(("name", "digest", "family", "parameter_size", "quantization"), text),
    )
    case = replace(
        result.case,
        id=f"{text}{number}",
        name=text,
        model=model,
        persona=f"{text}{number}",
        messages=(Message(role=text, content=text),),
        options={f"{text}": text, "num_ctx": 8192},
        options_set=(text,),
        limits=(text,),
        think=text,
        format={text: [text]},
    )
    return replace(
        result,
        case=case,
        host=replace(result.host, url=text, version=text),
        rounds=tuple(_failing(each, text) for each in result.rounds),
        stopped=text if result.stopped else None,
    )


def _failing(each: Any, text: str) -> Any:
    if each.generation.ok:
        return each
    failure = Failure(kind="http", cause="server", status=500, message=text)
    return replace(each, generation=replace(each.generation, failure=failure, text=text))


def shape(report: Report) -> list[str]:
    """The blocks of the Markdown, less the rows and items whose number follows from the input."""
    kinds = [token.type for token in PARSER.parse(report.markdown)]
    return [kind for kind in dict.fromkeys(kinds) if kind not in {"html_block", "code_block"}]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_does_not_act(session: ReportInput, name: str) -> None:
    """The Markdown has no image, no link but to its own facts, no HTML but its own anchors, no control character."""
    report = build_report(spoilt(session, HOSTILE[name]))
    tokens = PARSER.parse(report.markdown)
    assert not [token for token in tokens if token.type in {"html_block", "code_block"}]
    assert {token.type for token in tokens} <= set(shape(build_report(session)))
    for child in (child for token in tokens if token.type == "inline" for child in token.children):
        assert child.type != "image"
        if child.type == "link_open":
            assert re.fullmatch(r"#f[0-9a-f]{10}", child.attrs["href"])
        if child.type == "html_inline":
            assert re.fullmatch(r'<a id="f[0-9a-f]{10}">|</a>', child.content)
    assert "\x1b" not in report.markdown
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", report.markdown)
    report.markdown.encode("utf-8")
    report.short().encode("utf-8")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_breaks_no_table(session: ReportInput, name: str) -> None:
    """Every row of every table has as many cells as its head, and there are as many rows as without hostile text."""
    text = HOSTILE[name]
    plain, hostile = (build_report(spoilt(session, each)).markdown for each in ("x", text))

    def rows(markdown: str) -> list[str]:
        kinds = {"table_open", "tr_open", "td_open", "th_open", "heading_open", "list_item_open", "fence"}
        return [token.type for token in PARSER.parse(markdown) if token.type in kinds]

    assert rows(hostile) == rows(plain)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_reaches_no_terminal(session: ReportInput, name: str) -> None:
    """The lines for a terminal are single lines without any control sequence."""
    for line in build_report(spoilt(session, HOSTILE[name])).lines:
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", line)


def test_hostile_text_is_whole_in_the_twin(session: ReportInput) -> None:
    """JSON needs no escaping of ours: names and texts stand in the twin as they were."""
    text = HOSTILE["ansi"] + HOSTILE["script"]
    twin = build_report(spoilt(session, text)).as_dict()
    assert twin["cases"][0]["model"]["name"] == text
    assert twin["personas"]["other"] == f"x{text}"
