# `make demo` and `make test` are all a newcomer needs; both make .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup test fuzz demo bench bench-long lint format docs lock clean

setup: $(VENV)/.installed

$(VENV)/.installed: requirements/dev.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "missing: $(PYTHON) (Python 3.11 or newer; set PYTHON=/path/to/python3.12)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "missing: Python 3.11 or newer ($(PYTHON) is older; set PYTHON=/path/to/python3.12)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "missing: Python's venv module (on Debian: apt install python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	@$(BIN)/python -m hookwright.testing.demo

lint: setup
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix src tests benchmarks examples
	$(BIN)/ruff format src tests benchmarks examples

test: lint
	$(BIN)/pytest

# Writes what is generated in docs/; a test fails while it is not what this writes.
docs: setup
	$(BIN)/python -m hookwright.settings_page docs/configuration.md

# About ten minutes. It says its seed: `make fuzz SEED=…` sends the same requests again.
FUZZ_EXAMPLES ?= 200
SEED ?= $(shell date +%s)
fuzz: setup
	@echo "make fuzz FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) SEED=$(SEED)"
	@$(BIN)/pytest tests/fuzz --fuzz-examples=$(FUZZ_EXAMPLES) --hypothesis-seed=$(SEED)

bench: setup
	@$(BIN)/python -m benchmarks

# 1,000,000 pending deliveries and an hour at half load; SOAK_SECONDS=600 for a shorter one.
SOAK_SECONDS ?= 3600
bench-long: setup
	@$(BIN)/python -m benchmarks --long --soak-seconds $(SOAK_SECONDS)

# Needs uv on the PATH; writes the lock files that pip installs, without index addresses.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/runtime.in -o requirements/runtime.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/dev.in -o requirements/dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
