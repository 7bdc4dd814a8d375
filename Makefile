# Plumbline. `make` lists the targets. Needs Python 3.11 or 3.12; Node.js (npm) only for `contracts` and the anvil tests.
# Paths below are relative, so that a checkout may stand anywhere, in a folder with spaces too.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup devnet test check lint contracts analysis clean

VENV := .venv
BIN := $(VENV)/bin
ANALYSIS := .venv-analysis
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
NODE := node_modules/.package-lock.json
PYTEST_FLAGS ?=
DEVNET_FLAGS ?=

# An environment copied along with its checkout would still run the code of the original: build it anew.
ifneq ($(shell cat $(VENV)/.home 2>/dev/null || pwd -P),$(shell cd . && pwd -P))
.PHONY: $(RUNTIME) $(DEV)
endif

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup: $(DEV) $(NODE) ## install everything into .venv and node_modules

devnet: $(RUNTIME) ## start L1, contracts, sequencer, challenger, feeders and traders; Ctrl-C stops
	@exec $(BIN)/python -m rollup devnet $(DEVNET_FLAGS)

test: $(DEV) $(NODE) ## run all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_FLAGS)

check: $(DEV) $(NODE) ## what CI runs: lint, types and tests
	@.ci/run

lint: $(DEV) ## ruff and mypy
	@status=0; \
	$(BIN)/ruff check . || status=1; \
	$(BIN)/ruff format --check . || status=1; \
	$(BIN)/mypy || status=1; \
	exit $$status

contracts: $(NODE) ## compile the Solidity into contracts/artifacts
	@command -v node >/dev/null || { echo "make contracts: node is not installed" >&2; exit 1; }
	@node contracts/compile.mjs

analysis: $(DEV) $(NODE) $(ANALYSIS)/.installed ## read the contracts with Slither, prove their arithmetic with Halmos
	@PLUMBLINE_ANALYSIS=1 $(BIN)/python -m pytest tests/analysis --verbose --durations=0 --durations-min=1 $(PYTEST_FLAGS)

clean: ## remove environments, caches and devnet data
	@rm -rf $(VENV) $(ANALYSIS) node_modules build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .plumbline *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): pyproject.toml
	@.ci/venv $(VENV) .
	@touch $@

$(DEV): pyproject.toml
	@.ci/venv $(VENV) '.[dev]'
	@touch $(RUNTIME) $@

$(ANALYSIS)/.installed: contracts/analysis/requirements.txt | $(DEV)
	@echo "creating $(ANALYSIS)"
	@rm -rf $(ANALYSIS)
	@$(BIN)/python -m venv $(ANALYSIS)
	@$(ANALYSIS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@npm install --silent --no-save --prefix $(ANALYSIS) @foundry-rs/forge-linux-amd64@1.7.1
	@touch $@

# npm writes this file itself. Without npm the tests that need anvil skip (and fail in CI); the rest works from the
# committed artifacts.
$(NODE): package-lock.json
	@if command -v npm >/dev/null; then \
		echo "installing node_modules"; \
		npm ci --silent && touch $@ || echo "npm ci failed: tests that need anvil will be skipped" >&2; \
	else echo "npm is not installed: tests that need anvil will be skipped"; fi
