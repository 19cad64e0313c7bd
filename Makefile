# `make demo` and `make test` are all a newcomer needs; both make .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup test test-slow fuzz faults faults-long demo bench bench-long lint format docs picture addresses lock audit sbom clean

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

# Its processes give each other up after some seconds; 0 on a machine that is busy with other things.
MYPY_WORKERS ?= 2
lint: setup
	$(BIN)/ruff check src tests benchmarks faults examples
	$(BIN)/ruff format --check src tests benchmarks faults examples
	$(BIN)/mypy --num-workers=$(MYPY_WORKERS)

format: setup
	$(BIN)/ruff check --fix src tests benchmarks faults examples
	$(BIN)/ruff format src tests benchmarks faults examples

# How many tests run at a time: three keep two cores busy, as many wait for a process to start. A folder or a file by itself
# is `.venv/bin/pytest tests/api`. Tests start some two hundred processes of ours: where PYTHONDONTWRITEBYTECODE is set, as
# in many containers, each would compile all of it anew.
WORKERS ?= 3
SLOW = tests/docs/test_blocks.py tests/docs/test_repository_pages.py tests/console/test_axe.py
test: lint
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(addprefix --ignore=,$(SLOW))

# What takes minutes by itself: the pages whose commands install, serve, break and measure, and each page of the console as
# axe-core judges it.
test-slow: setup
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses=$(WORKERS) $(SLOW)

# Writes what is generated in docs/; a test fails while it is not what this writes.
docs: setup
	$(BIN)/python -m hookwright.settings_page docs/configuration.md
	$(BIN)/python -m hookwright.event_types_page docs/event-types.md

# Takes the picture of the console that README.md shows; needs Debian's chromium.
picture: setup
	@PYTHONPATH=tests $(BIN)/python -m docs.picture

# Writes the table of special-purpose addresses from IANA's CSV files in FOLDER; a test holds it to those in the default.
FOLDER ?= tests/data/addresses/registries
addresses: setup
	$(BIN)/python -m hookwright.address_registries $(FOLDER) src/hookwright/core/special_ranges.py

# About ten minutes. It says its seed: `make fuzz SEED=…` sends the same requests again.
FUZZ_EXAMPLES ?= 200
SEED ?= $(shell date +%s)
fuzz: setup
	@echo "make fuzz FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) SEED=$(SEED)"
	@$(BIN)/pytest tests/fuzz --fuzz-examples=$(FUZZ_EXAMPLES) --hypothesis-seed=$(SEED)

# A few minutes. It says its seed: `make faults SEED=…` strikes the same way again. CASES="worker_kill zombie" for some,
# WITHOUT=flood for all others, ROUNDS=1 for so many rounds of each. FAULTS_OPTIONS holds further options.
CASES ?=
WITHOUT ?=
ROUNDS ?=
faults: setup
	@$(BIN)/python -m faults --seed $(SEED) $(if $(CASES),--only $(CASES)) $(if $(WITHOUT),--without $(WITHOUT)) \
		$(if $(ROUNDS),--rounds $(ROUNDS))

# Many hours; writes faults.json, which `python -m faults.tables faults.json` puts into docs/reliability.md.
faults-long: setup
	@$(BIN)/python -m faults --long --seed $(SEED) --save faults.json $(if $(CASES),--only $(CASES))

# BENCH_OPTIONS="--events 300 --rounds 1" makes either of them short.
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

# Known weaknesses of what we install. Fails as well when the advisory service cannot be asked, unless UNREACHABLE=pass.
UNREACHABLE ?= fail
audit: setup
	@$(BIN)/python -m hookwright.testing.audit --unreachable=$(UNREACHABLE)

# What we install, with hashes, as CycloneDX; the same bytes for the same lock file.
SBOM ?= dist/hookwright.cdx.json
sbom: setup
	@mkdir -p $(dir $(SBOM))
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements/runtime.lock \
		--pyproject pyproject.toml --output-reproducible --of JSON -o $(SBOM)
	@echo $(SBOM)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
