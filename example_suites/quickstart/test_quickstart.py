"""The smallest benchmark there is: one prompt, one model, ten rounds.

pytest example_suites/quickstart                          the small model inside the package
pytest example_suites/quickstart --chimera-model gemma3   a model of your Ollama
"""


def test_sky(chimera):
    """A question of one line; what is measured is printed below the test and saved in the report."""
    run = chimera("Why is the sky blue?", options={"num_predict": 64})

    # Each metric has median, mean, minimum, maximum, p95 (None below 20 rounds) and n. Times are in seconds.
    # Put your own limits here: these hold on nearly anything that can run a model.
    assert run.ttft.median < 60
    assert run.tok_s.median > 0.5
