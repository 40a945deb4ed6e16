"""An agent that takes stock: the persona DataCollector-9000 is given a folder of artifacts and lists what is in it.

pytest example_suites/inventory --chimera-model gemma3
"""

import json

import pytest

ARTIFACTS = {
    "csv_data/baseline.csv": "run,tokens_per_s\n1,48.2\n2,47.9\n",
    "csv_data/sweep.csv": "num_gpu,tokens_per_s\n20,31.0\n40,48.1\n",
    "reports/baseline.md": "# Baseline\n\nTwo runs, both complete.\n",
    "reports/metrics.json": json.dumps({"ttft_ms": 210, "tokens": 128}),
}


@pytest.fixture
def artifacts(tmp_path):
    """A folder as benchmarks leave it behind. Use a path of your own here."""
    for name, content in ARTIFACTS.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path


@pytest.fixture
def question(artifacts):
    """What the model is asked: it cannot see the disk, so it is told what is there."""
    files = sorted(path for path in artifacts.rglob("*") if path.is_file())
    listing = "\n".join(f"{path.relative_to(artifacts).as_posix()} ({path.stat().st_size} bytes)" for path in files)
    return f"Make an inventory of these files: each file once with its type, then how many there are.\n\n{listing}"


@pytest.mark.chimera(persona="data-collector-9000", rounds=5, options={"num_predict": 256, "num_ctx": 2048})
def test_inventory_speed(chimera, question):
    """Reading a listing is mostly prefill, so that is what this case holds a limit on."""
    run = chimera(question, limits={"prefill": ">= 1 tok/s"})

    # The persona and the listing were read whole, not taken from a cache: every round starts with a prefix of its own.
    assert run.prompt_tokens.median > len(ARTIFACTS)


@pytest.mark.chimera(persona="data-collector-9000", rounds=1, options={"num_predict": 512, "num_ctx": 2048, "seed": 1})
def test_inventory_is_complete(chimera, chimera_model, question):
    """Every file is in the inventory, and no question is put to the reader."""
    if chimera_model.name.startswith("tiny"):
        pytest.skip("judges what the text says, and the text of 'tiny' has no sense: name a model to run it")
    run = chimera(question)

    missing = [name for name in ARTIFACTS if name.rpartition("/")[2] not in run.text]
    assert missing == []
    assert not run.text.rstrip().endswith("?")
