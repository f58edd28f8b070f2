# `make` alone lists the targets. Nothing is needed but make and Python >= 3.11.

PYTHON ?= python3
# One process more than there are cores: tests also wait. All share a Redis that was given from outside.
PROCESSES ?= $(if $(TEST_REDIS_URL),0,$(shell $(PYTHON) -c 'import os; print(min(8, os.cpu_count() + 1))'))
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.stamp

.DEFAULT_GOAL := help
.PHONY: help setup run test explore coverage test-fast fmt lint types arch bench torture fuzz openapi migrate lock clean

help: ## List the targets
	@echo "make run and make test are all you need; the rest is for people who change the code."
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## Create .venv and install the locked dependencies
	@:

$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12")'
	@echo "Setting up $(VENV) (once, and again when the lock changes) ..."
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@# the lock is whole: to resolve again would look past it at what was released since
	@$(PY) -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(PY) -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: setup ## Start everything for development: database, API, worker, scheduler, gateway simulator
	@exec $(PY) -m workers.dev

test: setup ## Run the whole test suite, on real servers (PROCESSES=3)
	@$(PY) -m pytest -n $(PROCESSES) --dist worksteal

explore: setup ## The same with seeds of its own, to find what the fixed ones do not (TEST_SEED=7)
	@TEST_SEED=$(or $(TEST_SEED),$(shell $(PYTHON) -c 'import secrets; print(secrets.randbits(32))')) \
		HYPOTHESIS_PROFILE=$(or $(HYPOTHESIS_PROFILE),explore) $(PY) -m pytest -n $(PROCESSES) --dist worksteal

coverage: setup ## The same with branch coverage, which takes half as long again
	@$(PY) -m pytest -n $(PROCESSES) --dist worksteal --cov --cov-report=term

test-fast: setup ## Run the tests that need no server
	@$(PY) -m pytest -m "not servers"

fmt: setup ## Format the code and fix what can be fixed
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

lint: setup ## Check style and format
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: setup ## Check types (mypy, strict)
	@$(PY) -m mypy

arch: setup ## Check who may import whom
	@$(VENV)/bin/lint-imports --no-logo

bench: setup ## Measure messages per second against the database's own floor
	@$(PY) -m bench.dispatch

torture: setup ## Crash and kill everything while it sends, and judge by the gateway's log (SEEDS=30)
	@$(PY) -m tests.torture.run $(if $(SEEDS),--seeds $(SEEDS))

fuzz: setup ## Play through openapi.json against the app, with so many examples (EXAMPLES=5000)
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),5000) $(PY) -m pytest -q -s tests/http/whole/test_openapi_playing.py

openapi: setup ## Write the API's description (openapi.json) again, after a route has changed
	@$(PY) -m workers.cli openapi --output openapi.json

migrate: setup ## Bring the database of DATABASE_URL to the newest schema
	@$(PY) -m workers.cli migrate

lock: setup ## Resolve requirements.lock again from pyproject.toml (needs the network)
	@$(PYTHON) -m venv var/lock
	@var/lock/bin/python -m pip install -qq uv
	@sed -n '/^#/p' requirements.lock > var/requirements.lock
	@var/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
		--generate-hashes --no-header --no-annotate --no-emit-index-url pyproject.toml >> var/requirements.lock
	@mv var/requirements.lock requirements.lock
	@rm -rf var/lock

clean: ## Remove the environment, caches and reports, but not the data in var/
	@rm -rf $(VENV) build dist htmlcov .coverage .coverage.* *.egg-info
	@rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
