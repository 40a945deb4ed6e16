"""What a case was and on what it was measured: each difference by its name, and what is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.gate.conditions import Conditions, conditions_of, differences
from pytest_chimera.records import Message

quickly = settings(max_examples=60, deadline=None)

GIB = 2**30
OPTIONS = {"num_ctx": 512, "num_predict": 10, "temperature": 0.5}
GPU = {"gpu": "NVIDIA H100", "gpu_driver": "580.65", "gpu_memory_bytes": 80 * GIB}
TWO = {**GPU, "gpu_2": "NVIDIA T4", "gpu_2_driver": "580.65", "gpu_2_memory_bytes": 16 * GIB}
TOOL = {"type": "function", "function": {"name": "f"}}


def of(make: Any, changes: dict[str, Any]) -> Conditions:
    """The conditions of a case with these changes, `machine` among them, as the gate reads them."""
    machine = make.machine | changes.get("machine", {})
    rest = {name: value for name, value in changes.items() if name != "machine"}
    found: Conditions = make.case(make.result(**rest), machine).conditions
    return found


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ({}, {"endpoint": "generate"}, ["endpoint generate instead of chat"]),
        ({}, {"raw": True}, ["raw true instead of false"]),
        ({}, {"prefix": "reuse"}, ["prefix reuse instead of unique"]),
        ({}, {"start": "cold"}, ["start cold instead of warm"]),
        ({}, {"tools": (TOOL, TOOL)}, ["tools 2 instead of 0"]),
        ({}, {"think": True}, ["think true instead of default"]),
        ({}, {"persona": "x", "persona_hash": "ab" * 32}, ["persona abababababab instead of none"]),
        (
            {"persona": "x", "persona_hash": "ab" * 32},
            {"persona": "x", "persona_hash": "cd" * 32},
            ["persona cdcdcdcdcdcd instead of abababababab"],
        ),
        ({"think": True}, {"think": False}, ["think false instead of true"]),
        ({"think": "low"}, {"think": "high"}, ["think high instead of low"]),
        ({"format": "json"}, {}, ["format default instead of json"]),
        ({}, {"options": {**OPTIONS, "temperature": 0.8}}, ["option temperature 0.8 instead of 0.5"]),
        ({}, {"options": {**OPTIONS, "num_ctx": 4096}}, ["option num_ctx 4096 instead of 512"]),
        ({}, {"options": {**OPTIONS, "seed": 7}}, ["option seed 7 instead of not set"]),
        (
            {"options": OPTIONS},
            {"options": {"num_ctx": 512}},
            ["option num_predict not set instead of 10", "option temperature not set instead of 0.5"],
        ),
        (
            {"options": {"stop": ["a", "b"], "num_ctx": 512}},
            {"options": {"stop": ["b", "a"], "num_ctx": 1024}},
            ['option stop ["b", "a"] instead of ["a", "b"]', "option num_ctx 1024 instead of 512"],
        ),
    ],
)  # fmt: skip
def test_what_defines_a_case_is_compared(
    make: Any, before: dict[str, Any], now: dict[str, Any], said: list[str]
) -> None:
    """A difference in what makes it this case is named, every one, and is no difference of circumstances."""
    earlier, later = of(make, {"case": before}), of(make, {"case": now})
    assert list(later.redefined(earlier)) == said
    assert later.changed(earlier) == ()
    assert later.redefined(later) == ()


def test_another_prompt_is_another_case(make: Any) -> None:
    """Messages and suffix are compared by their hash, whose beginning is named."""
    earlier = of(make, {})
    for case in ({"messages": (Message(role="user", content="Why?"),)}, {"suffix": "."}):
        later = of(make, {"case": case})
        prompts = [each.defining["prompt"] for each in (later, earlier)]
        assert later.redefined(earlier) == (f"prompt {prompts[0]} instead of {prompts[1]}",)
        assert [len(each) for each in prompts] == [12, 12]


def test_another_schema_is_another_format(make: Any) -> None:
    """Two answers by different schemas are two cases; one schema in another order of its keys is one."""
    one, other = {"type": "object", "title": "x"}, {"type": "object", "title": "y"}
    (said,) = of(make, {"case": {"format": other}}).redefined(of(make, {"case": {"format": one}}))
    assert said.startswith("format schema sha256:")
    turned = dict(reversed(one.items()))
    assert of(make, {"case": {"format": turned}}).redefined(of(make, {"case": {"format": one}})) == ()


def test_another_nonce_is_another_case(make: Any) -> None:
    """What is put before the prompt counts by its shape and not by its digits; none is a shape of its own."""

    def shape(nonce: str | None) -> Conditions:
        result = make.result(generation={"nonce": nonce})
        found: Conditions = make.case(replace(result, rounds=result.rounds[1:])).conditions
        return found

    assert shape("[ffff9999] ").redefined(shape("[0123abcd] ")) == ()
    assert shape("0123").redefined(shape("[0123abcd] ")) == ("nonce xxxx instead of [xxxxxxxx] ",)
    assert shape(None).redefined(shape("0123")) == ("nonce none instead of xxxx",)


@pytest.mark.parametrize(
    "case",
    [
        {"rounds": 30},
        {"warmup": 5},
        {"timeout_s": 1.0},
        {"idle_timeout_s": 1.0},
        {"limits": ("tok/s >= 40",)},
        {"gate": ("tok/s:5%",)},
        {"persona": "x"},
        {"keep_alive": "5m"},
        {"max_failed_rounds": 3},
        {"prompt_tokens": 20},
        {"options_set": ()},
        {"options": {**OPTIONS, "num_ctx": 512.0}},
        {"options": dict(reversed(OPTIONS.items()))},
    ],
)
def test_what_does_not_define_a_case_is_not_compared(make: Any, case: dict[str, Any]) -> None:
    """How often and how long it is measured, and what must hold of it, makes no other case; nor does 512.0 for 512."""
    assert of(make, {"case": case}).redefined(of(make, {})) == ()


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ({}, {"model": {"digest": "sha256:" + "f" * 64}}, ["model digest ffffffffffff instead of 0123456789ab"]),
        ({}, {"model": {"quantization": "F16"}}, ["quantization F16 instead of Q8_0"]),
        ({}, {"model": {"family": "gemma3"}}, ["family gemma3 instead of llama"]),
        ({}, {"model": {"parameter_size": "4.3B"}}, ["parameters 4.3B instead of 1.1M"]),
        ({}, {"loaded": {"context_length": 256}}, ["num_ctx as loaded 256 instead of 512"]),
        ({}, {"loaded": {"size_vram_bytes": 1_500_000}}, ["share on the GPU 50.0 % instead of 0 %"]),
        ({}, {"host": {"version": "0.33.0"}}, ["Ollama version 0.33.0 instead of 0.32.15"]),
        (
            {"host": {"url": "http://gpu-1:11434", "shares_clock": False}},
            {"host": {"url": "http://gpu-2:11434", "shares_clock": False}},
            ["host gpu-2:11434 instead of gpu-1:11434"],
        ),
        (
            {"host": {"engine": "embedded", "version": "0.32.15"}},
            {"host": {"engine": "embedded", "version": "0.33.0"}},
            ["server version 0.33.0 instead of 0.32.15"],
        ),
        ({"host": {"engine": "embedded"}}, {}, ["server ollama instead of embedded"]),
        ({}, {"machine": {"cpu": "Fast CPU"}}, ["cpu Fast CPU instead of Toy CPU"]),
        ({}, {"machine": {"cpu_count": 64}}, ["cpu count 64 instead of 2"]),
        ({}, {"machine": {"architecture": "aarch64"}}, ["architecture aarch64 instead of x86_64"]),
        ({}, {"machine": {"memory_bytes": 8 * GIB}}, ["memory 8.00 GiB instead of 4.00 GiB"]),
        ({"machine": GPU}, {"machine": {**GPU, "gpu": "NVIDIA B200"}}, ["GPU NVIDIA B200 instead of NVIDIA H100"]),
        ({"machine": GPU}, {"machine": {**GPU, "gpu_driver": "590.1"}}, ["GPU driver 590.1 instead of 580.65"]),
        (
            {"machine": GPU},
            {"machine": {**GPU, "gpu_memory_bytes": 40 * GIB}},
            ["GPU memory 40.0 GiB instead of 80.0 GiB"],
        ),
        ({"machine": TWO}, {"machine": {**TWO, "gpu_2": "NVIDIA L4"}}, ["GPU 2 NVIDIA L4 instead of NVIDIA T4"]),
        (
            {},
            {"model": {"quantization": "F16"}, "host": {"version": "0.33.0"}, "machine": {"cpu_count": 64}},
            [
                "quantization F16 instead of Q8_0",
                "Ollama version 0.33.0 instead of 0.32.15",
                "cpu count 64 instead of 2",
            ],
        ),
    ],
)
def test_circumstances_are_compared(make: Any, before: dict[str, Any], now: dict[str, Any], said: list[str]) -> None:
    """A difference of model, server or machine is named, every one, and makes no other case."""
    earlier, later = of(make, before), of(make, now)
    assert list(later.changed(earlier)) == said
    assert later.redefined(earlier) == ()
    assert later.changed(later) == ()


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({}, {"model": {"digest": None}}),
        ({"model": {"quantization": None, "family": None, "parameter_size": None}}, {}),
        ({}, {"loaded": {"context_length": None}}),
        ({"loaded": {"size_bytes": None}}, {"loaded": {"size_vram_bytes": 5}}),
        ({"loaded": {"size_bytes": 0}}, {}),
        ({}, {"host": {"version": None}}),
        ({}, {"machine": {"cpu": None}}),
        ({}, {"machine": {"memory_bytes": None}}),
        ({}, {"machine": GPU}),
        ({}, {"host": {"shares_clock": False}, "machine": {"cpu": "Fast CPU"}}),
        ({}, {"machine": {"os": "Debian"}}),
    ],
)
def test_what_is_unknown_is_no_difference(make: Any, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Where one side does not say, as of the machine of a server elsewhere, nothing is named, either way round."""
    earlier, later = of(make, before), of(make, now)
    assert later.changed(earlier) == later.redefined(earlier) == ()
    assert earlier.changed(later) == earlier.redefined(later) == ()


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:11434", "http://127.0.0.1:11435", "http://127.1.2.3", "http://[::1]:11434",
        "https://LOCALHOST/prefix",
    ],
)  # fmt: skip
def test_this_machine_has_one_name(make: Any, url: str) -> None:
    """A server on this machine is one host whatever its port and address."""
    assert of(make, {"host": {"url": url}}).environment["host"] == "this machine"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://gpu-1:11434", "gpu-1:11434"),
        ("https://ollama.example.org", "ollama.example.org"),
        ("https://user:secret@ollama.example.org/x", "ollama.example.org"),
        ("http://10.0.0.7:11434/", "10.0.0.7:11434"),
        ("http://[fe80::1]:80", "fe80::1:80"),
        ("http://x:99999", "http://x:99999"),
        ("", ""),
    ],
)
def test_another_machine_is_name_and_port(make: Any, url: str, host: str) -> None:
    """A server elsewhere is compared by its name and port, without path and credentials."""
    assert of(make, {"host": {"url": url}}).environment["host"] == host


def test_an_embedded_engine_has_no_host(make: Any) -> None:
    """The engine that the plugin starts has another port every time, which says nothing."""
    environment = of(make, {"host": {"engine": "embedded", "url": "http://127.0.0.1:39421"}}).environment
    assert "host" not in environment
    assert environment["server"] == "embedded"


def test_memory_is_compared_by_whole_gib(make: Any) -> None:
    """What a kernel leaves of the same memory differs by some MiB, which is no difference."""
    sizes = [16 * GIB - 300 * 2**20, 16 * GIB + 300 * 2**20]
    found = [of(make, {"machine": {"memory_bytes": size}}).environment["memory"] for size in sizes]
    assert found == ["16.0 GiB", "16.0 GiB"]


@pytest.mark.parametrize(
    ("on_gpu", "share"), [(0, "0 %"), (1_000_000, "33.0 %"), (1_000_100, "33.0 %"), (3_000_000, "100 %")]
)
def test_the_share_on_the_gpu_is_of_whole_percent(make: Any, on_gpu: int, share: str) -> None:
    """A few bytes more or less on the GPU are no difference."""
    assert of(make, {"loaded": {"size_vram_bytes": on_gpu}}).model["share on the GPU"] == share


def test_options_that_one_side_does_not_tell_are_no_difference(make: Any) -> None:
    """A row that says nothing of its options agrees with any; one that has none does not."""
    info = make.case(make.result()).info
    told, untold = conditions_of(info, {}), conditions_of({**info, "options": None}, {})
    assert told.redefined(untold) == untold.redefined(told) == ()
    none = conditions_of({**info, "options": {}}, {})
    assert none.redefined(told) == (
        "option num_ctx not set instead of 512",
        "option num_predict not set instead of 10",
        "option temperature not set instead of 0.5",
    )


def test_of_nothing_nothing_is_known() -> None:
    """A row that says nothing has no conditions that are known, and agrees with everything."""
    nothing = conditions_of({}, {})
    assert nothing == Conditions()
    assert (nothing.known, Conditions(environment={"server": "ollama"}).known) == (False, True)


def test_circumstances_are_model_and_environment() -> None:
    """Both together are what one may want to compare."""
    conditions = Conditions(defining={"a": "1"}, model={"b": "2"}, environment={"c": "3"})
    assert conditions.circumstances == {"b": "2", "c": "3"}


VALUES = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.sampled_from(["1", "2", "3"]))


@given(VALUES, VALUES)
@quickly
def test_differences_go_both_ways(now: dict[str, str], before: dict[str, str]) -> None:
    """What both know and do not agree on is named once, from either side."""
    there, back = differences(now, before), differences(before, now)
    assert len(there) == len(back)
    assert {each.split()[0] for each in there} == {each.split()[0] for each in back}
    assert {each.split()[0] for each in there} == {
        name for name in now.keys() & before.keys() if now[name] != before[name]
    }
    assert differences(now, now) == ()
