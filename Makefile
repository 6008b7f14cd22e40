# `make demo` and `make test` do all of their own set-up.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
LAMBDAIMG := $(BIN)/lambdaimg
STAMP := .venv/.installed
WORKERS ?= 3
BASES := debian-trixie debian-bookworm python-3.13-slim node-24-slim

.PHONY: help setup bases demo test check test-unit test-integration test-slow test-engine-26 bench bench-quick golden matrix lock wheel clean

help: ## Explain the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(STAMP) ## Virtual environment, Docker Engine with its plugins, base images, the RIE
	@scripts/setup-engine.sh
	@$(BIN)/python -m compileall -q lambdaimg
	@$(LAMBDAIMG) base bootstrap --missing $(BASES) >/dev/null
	@$(LAMBDAIMG) rie install >/dev/null

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "lambdaimg needs Python 3.11 or newer"; exit 2; }
	@echo "setup: making .venv and installing the locked dependencies into it"
	@$(PYTHON) -m venv .venv || { echo "the venv module is missing: install python3-venv"; exit 2; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Build both examples, run them under the RIE, print their answers
	@scripts/demo.sh

test: check test-unit test-integration ## All checks and tests (.ci/run)

check: $(STAMP) ## Style, types, architecture, shell scripts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/shellcheck scripts/*.sh .ci/run

test-unit: $(STAMP) ## Tests without an engine, in seconds
	@$(BIN)/pytest -q -n auto tests/unit tests/golden

test-integration: setup ## Tests on the real engine, RIE and RICs
	@scripts/test-integration.sh $(WORKERS)

test-slow: setup ## Tests that take minutes
	@scripts/setup-browser.sh
	@LAMBDAIMG_REQUIRE_ENGINE=1 $(BIN)/pytest -m slow tests/integration

test-engine-26: setup ## The integration tests on a private, current Docker Engine (as root on Debian)
	@scripts/engine-26.sh env LAMBDAIMG_REQUIRE_ENGINE=1 $(BIN)/pytest -m "not slow" -n $(WORKERS) --dist loadscope tests/integration

golden: $(STAMP) ## Write the rendered files and reference pages that the tests compare with; review the diff
	@$(BIN)/pytest -q tests/golden tests/unit/test_docs.py --update-golden

bench: setup ## Measure lambdaimg beside AWS SAM CLI and plain docker (docs/benchmarks.md)
	@$(BIN)/python -m benchmarks

bench-quick: setup ## The same with fewer repetitions, in under 3 minutes
	@$(BIN)/python -m benchmarks --quick

matrix: setup ## Build, invoke and measure every language on its tier-1 bases (docs/matrix.md); WORDS=… for some
	@$(BIN)/python scripts/matrix.py $(WORDS)

lock: ## Resolve requirements.lock anew (needs uv)
	@uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" --group dev --group build pyproject.toml -o requirements.lock

wheel: $(STAMP) ## Build the wheel into dist/
	@$(BIN)/python -m build --no-isolation --wheel

clean: ## Remove what lambdaimg made in the engine for the examples, and the caches here
	@for example in examples/*/; do $(LAMBDAIMG) -C "$$example" clean --images; done
	@rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
