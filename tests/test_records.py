"""Records: what follows from a Generation, and the way through JSON and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.errors import RecordError
from pytest_chimera.metrics import METRICS, find_metric, statistic
from pytest_chimera.records import (
    Arrival,
    Case,
    CaseResult,
    Chunk,
    Failure,
    Generation,
    HostInfo,
    Message,
    ModelInfo,
    Round,
)


def generation(**fields: Any) -> Generation:
    """A Generation of two thinking chunks and three of the answer, 10 ms apart, after an empty one."""
    chunks = tuple(
        Chunk(arrival_ns=ms * 1_000_000, created_unix_ns=1_000_000_000 + (ms - 1) * 1_000_000,
              thinking_chars=thinking, answer_chars=answer, tool_calls=0)
        for ms, thinking, answer in [(40, 0, 0), (50, 3, 0), (60, 3, 0), (70, 0, 4), (80, 0, 4), (90, 0, 4), (91, 0, 0)]
    )  # fmt: skip
    known: dict[str, Any] = {
        "endpoint": "chat", "host": "http://localhost:11434", "model": "toy:a", "options": {"num_ctx": 512},
        "prompt_hash": "00", "nonce": "[12345678] ", "sent_unix_ns": 1_000_000_000, "shares_clock": True,
        "chunks": chunks, "end_ns": 91_000_000, "total_duration_ns": 90_000_000, "load_duration_ns": 2_000_000,
        "prompt_eval_count": 30, "prompt_eval_duration_ns": 30_000_000, "eval_count": 6,
        "eval_duration_ns": 50_000_000, "done_reason": "stop", "groundedness": 0.75, "unmet": ("contains: x",),
    }  # fmt: skip
    return Generation(**(known | fields))


def test_client_times() -> None:
    """TTFT is the first chunk with output, not an empty one; the answer begins after the thinking; E2E is the end."""
    one = generation()
    assert (one.client_ttft_ns, one.client_answer_ns, one.client_e2e_ns) == (50_000_000, 70_000_000, 91_000_000)
    assert one.itl_ns == (10_000_000,) * 4


def test_server_rates() -> None:
    """Decode is count over duration, its step form a token less, TPOT the inverse; prefill takes uncached ones."""
    one = generation()
    assert (one.decode_tokens_per_s, one.decode_steps_per_s) == (120.0, 100.0)
    assert one.tpot_ns == pytest.approx(50_000_000 / 6)
    assert one.prefill_tokens_per_s == 1000.0
    assert one.wait_ns == 8_000_000


def test_prefill_is_unknown_when_a_cache_may_have_served() -> None:
    """Without a nonce and without the server's cached count the prefill rate is None; with the count it is known."""
    assert generation(nonce=None).prefill_tokens_per_s is None
    assert generation(nonce=None, prompt_eval_cached_count=15).prefill_tokens_per_s == 500.0


def test_a_prompt_that_was_cached_whole_has_no_prefill() -> None:
    """Nothing was evaluated, which is no rate of 0 tok/s."""
    assert generation(prompt_eval_count=20, prompt_eval_cached_count=20).prefill_tokens_per_s is None


def test_durations_that_overlap_leave_no_wait() -> None:
    """Parts that exceed the total say nothing about waiting, and no wait is negative."""
    assert generation(total_duration_ns=60_000_000).wait_ns is None


@pytest.mark.parametrize("missing", ["total", "load", "prompt_eval", "eval"])
def test_wait_is_unknown_when_a_duration_is_absent(missing: str) -> None:
    """An absent duration is not zero: the wait is then unknown."""
    assert generation(**{f"{missing}_duration_ns": None}).wait_ns is None


def test_one_token_is_no_rate() -> None:
    """One token in 1000 ns is not a million tok/s: the clock covers no step, so every rate is unknown."""
    one = generation(eval_count=1, eval_duration_ns=1000)
    assert (one.decode_tokens_per_s, one.decode_steps_per_s, one.tpot_ns) == (None, None, None)


def test_server_clock_is_used_on_one_machine_only() -> None:
    """Server TTFT and the transport's share come from created_at where the clock is shared, else they are unknown."""
    assert (generation().server_ttft_ns, generation().transport_ns) == (49_000_000, 1_000_000)
    apart = generation(shares_clock=False)
    assert (apart.server_ttft_ns, apart.transport_ns) == (None, None)


def test_a_failed_request_has_no_end_to_end_time() -> None:
    """A request that was cut has a moment of failure but no E2E."""
    cut = generation(failure=Failure(kind="cut", cause="closed", message="the stream ended"))
    assert (cut.ok, cut.client_e2e_ns, cut.client_ttft_ns) == (False, None, 50_000_000)


def test_stalls() -> None:
    """A gap above ten medians and above 100 ms is a stall; two gaps are too few to tell."""
    times = [10, 20, 30, 40, 240, 250]
    chunks = tuple(Chunk(ms * 1_000_000, None, 0, 1, 0) for ms in times)
    assert generation(chunks=chunks).stalls == 1
    assert generation(chunks=chunks[:3]).stalls is None


def result() -> CaseResult:
    """A case with a warm-up, a counted and a failed round."""
    case = Case(
        id="test_a.py::test_x[toy:a]", name="test_x[toy:a]", model=ModelInfo(name="toy:a", capabilities=("tools",)),
        messages=(Message(role="user", content="hi"),), options={"num_ctx": 512}, format={"type": "object"},
        limits=("tok/s >= 30",),
    )  # fmt: skip
    failed = generation(failure=Failure(kind="http", cause="server", status=500, message="out of memory"), chunks=())
    rounds = (
        Round(number=1, warmup=True, cold=True, generation=generation(arrivals=(Arrival(5, 100),))),
        Round(number=1, warmup=False, cold=False, generation=generation()),
        Round(number=2, warmup=False, cold=None, generation=failed),
    )
    return CaseResult(case=case, host=HostInfo(url="http://localhost:11434"), rounds=rounds, started_unix_ns=5)


def test_a_result_survives_json() -> None:
    """A case with all its rounds is the same after a way through JSON text."""
    assert CaseResult.from_dict(json.loads(json.dumps(result().as_dict()))) == result()


def test_what_counts() -> None:
    """Warm-up and failed rounds do not count; failed ones are kept apart."""
    assert [each.number for each in result().counted] == [1]
    assert [each.number for each in result().failed] == [2]


def test_a_record_of_the_future_is_refused_by_name() -> None:
    """A field that this version does not know is refused, with what to do."""
    with pytest.raises(RecordError) as caught:
        Message.from_dict({"role": "user", "content": "x", "sound": "y"})
    assert str(caught.value) == (
        "A saved Message has the unknown fields sound. Known fields: role, content, images. "
        "It was written by a newer pytest-chimera: use that version to read it."
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_anything_else_is_refused_in_one_way(data: Any) -> None:
    """Whatever stands in a damaged file, reading a record from it gives the record or a RecordError."""
    fields = {**result().as_dict(), "case": data} if not isinstance(data, dict) else data
    with pytest.raises(RecordError):
        CaseResult.from_dict(fields)


def test_prompt_hash_depends_on_the_messages_alone() -> None:
    """The hash is that of what is asked: another model or option keeps it, another word changes it."""
    case = result().case
    other = Case.from_dict({**case.as_dict(), "options": {"seed": 1}})
    changed = Case.from_dict({**case.as_dict(), "messages": [{"role": "user", "content": "ho"}]})
    assert case.prompt_hash == other.prompt_hash != changed.prompt_hash


def test_every_metric_reads_a_generation() -> None:
    """Each metric of the table has a value for a complete Generation, in the SI unit."""
    values = {name: statistic(metric, [generation()]).median for name, metric in METRICS.items()}
    assert values == {
        "ttft": 0.05, "answer": 0.07, "prompt_eval": 0.03, "prefill": 1000.0, "eval": 0.05, "tok/s": 120.0,
        "steps/s": 100.0, "time/token": pytest.approx(0.05 / 6), "itl": 0.01, "load": 0.002, "wait": 0.008,
        "total": 0.09, "e2e": 0.091, "server_ttft": 0.049, "transport": 0.001, "stalls": 0.0,
        "prompt_tokens": 30.0, "output_tokens": 6.0, "groundedness": 0.75, "accuracy": 0.0,
    }  # fmt: skip


def test_metrics_answer_to_their_aliases() -> None:
    """A metric is found by its canonical name and by the other names the field uses for it."""
    assert find_metric("decode") is METRICS["tok/s"]
    assert find_metric("tpot") is METRICS["time/token"]
