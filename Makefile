# One page of targets; `make help` lists them. Needs Python 3.11 or newer and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEMO_HOME := .demo/home
PEERS := .bench/peers
PYTEST_ARGS ?=
TYPED := dataport benchmarks $(wildcard demo)

# A user's own Python paths and pip answers must not leak into the environment made here.
unexport PYTHONPATH
unexport PYTHONHOME

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo run test lint format docs screenshots bench bench-large soak lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## make .venv with the dataport command and the tools of this file

$(INSTALLED): pyproject.toml requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Dataport needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo not there)." >&2; \
		echo "Name another one, as in: make PYTHON=python3.12 $(or $(MAKECMDGOALS),install)" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(INSTALLED) ## import, merge, resolve, undo and export shipped samples in a fresh home
	$(BIN)/python -m demo

run: $(INSTALLED) ## open the TUI on a demo home, made if there is none
	@test -f $(DEMO_HOME)/config/dataport.toml || $(BIN)/dataport --home $(DEMO_HOME) init --sample
	$(BIN)/dataport --home $(DEMO_HOME)

test: lint ## lint, then every test but the soak tests; PYTEST_ARGS is passed on
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal $(PYTEST_ARGS)

lint: $(INSTALLED) ## style, format, types and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED) ## apply the formatter and the safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(INSTALLED) ## write what is generated from the settings: two files in docs/, config/dataport.toml
	$(BIN)/python -m dataport.core.settings_reference

screenshots: $(INSTALLED) ## make the pictures of README from the running terminal UI
	$(BIN)/python -m demo.screenshot

bench: $(INSTALLED) ## measure imports and merges beside plain DuckDB and other tools, bulk decisions and the past
	$(BIN)/python -m benchmarks.inbox
	$(BIN)/python -m benchmarks.conflicts
	$(BIN)/python -m benchmarks.history
	@$(MAKE) --no-print-directory $(PEERS)/.installed || echo "The other tools could not be installed." >&2
	$(BIN)/python -m benchmarks.three_way --peers $(PEERS)/bin
	$(BIN)/python -m benchmarks.staging --peers $(PEERS)/bin

bench-large: $(INSTALLED) ## measure ten million rows beside one million; takes some minutes and 10 GB
	$(BIN)/python -m benchmarks.large

$(PEERS)/.installed: benchmarks/requirements.txt
	$(PYTHON) -m venv --clear $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --require-hashes --requirement $<
	@touch $@

soak: $(INSTALLED) ## the tests that run for minutes
	$(BIN)/python -m pytest -m soak --timeout 3600 $(PYTEST_ARGS)

# Versions and hashes only: which index to use is each machine's own setting.
COMPILE = CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

lock: $(INSTALLED) ## resolve the dependencies of pyproject.toml and of the benchmarks' peers anew
	$(COMPILE) --output-file requirements.txt pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(COMPILE) --output-file benchmarks/requirements.txt benchmarks/requirements.in

clean: ## remove everything that make made, the demo home included
	@! test -x $(BIN)/dataport || ! test -d $(DEMO_HOME) || $(BIN)/dataport --home $(DEMO_HOME) daemon stop || true
	rm -rf $(VENV) .demo .bench build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
