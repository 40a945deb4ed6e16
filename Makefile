# Two commands do everything on a machine with nothing but Python 3 and make: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Recordings of real servers and other material for checks; what needs it says so and is skipped where it is not.
SHARED ?= ../shared
VERSIONS ?= 3.10 3.11 3.12 3.13
WHEEL_DIR := build/wheel
# The tests run beside nothing but themselves, so that the installed wheel is imported and not the checkout.
TESTED := build/tested

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-lowest test-ollama wire lint bench wheel clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "$(PYTHON) is older than Python 3.10: use make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "No venv here: install it (Debian: apt install python3-venv)"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(BIN)/.ready  ## Run the example suites on the embedded engine; leaves .chimera/report.md
	@$(BIN)/pytest example_suites --chimera-model tiny -rs

wheel: $(BIN)/.ready
	@rm -rf $(WHEEL_DIR) && $(BIN)/python -m build --wheel --outdir $(WHEEL_DIR) . > build-wheel.log 2>&1 || { cat build-wheel.log; exit 1; }
	@rm -f build-wheel.log

test: wheel  ## Build the wheel, install it into an environment of its own, run the tests against it
	@tests/run-against-wheel $(PYTHON) $(WHEEL_DIR) $(TESTED) $(SHARED)

test-all: wheel  ## The same on each Python found (3.10 to 3.13), and on the lowest supported versions
	@for each in $(VERSIONS); do \
	  if python=$$(tests/interpreter $$each); then \
	    echo "== Python $$each"; tests/run-against-wheel $$python $(WHEEL_DIR) $(TESTED)-$$each $(SHARED) || exit 1; \
	  else echo "== Python $$each is not here"; fi; \
	done
	@$(MAKE) --no-print-directory test-lowest

test-lowest: wheel  ## The tests on the lowest supported version of every dependency
	@if python=$$(tests/interpreter 3.10); then \
	  echo "== lowest versions"; tests/run-against-wheel $$python $(WHEEL_DIR) $(TESTED)-lowest $(SHARED) tests/lowest.txt; \
	else echo "== Python 3.10 is not here"; fi

test-ollama: $(BIN)/.ready  ## Tests against a real Ollama: OLLAMA_HOST=... CHIMERA_TEST_MODEL=gemma3 make test-ollama
	@if [ -z "$$OLLAMA_HOST" ] || [ -z "$$CHIMERA_TEST_MODEL" ]; then \
	  echo "No real Ollama named: set OLLAMA_HOST and CHIMERA_TEST_MODEL. Nothing was tested."; \
	else $(BIN)/pytest tests/ollama; fi

wire: $(BIN)/.ready  ## Answer the recorded requests of a real Ollama on the embedded engine: matched and excepted
	@$(BIN)/python benchmarks/wire_agreement.py --recordings $(SHARED)/ollama-wire

lint: $(BIN)/.ready  ## ruff, mypy --strict, import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(BIN)/.ready  ## What measuring, gating and reading cost, and how often the gate errs, beside peers
	@$(BIN)/python benchmarks/ttft_error.py
	@$(BIN)/python benchmarks/request_throughput.py
	@$(BIN)/python benchmarks/startup.py
	@$(BIN)/python benchmarks/gate_cost.py
	@$(BIN)/python benchmarks/corpus_speed.py --files 11000
	@$(BIN)/python benchmarks/gate_power.py
	@$(BIN)/python benchmarks/sweep_power.py
	@$(BIN)/python benchmarks/collection.py

clean:  ## Remove environments, builds and caches
	@rm -rf $(VENV) .venv-* build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
