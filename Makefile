# Everything one does with the project. `make run` and `make test` are all a newcomer needs.
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(if $(shell $(p) -c '$(SUPPORTED)' 2>/dev/null && echo yes),$(p))))
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
ARGS ?=

.PHONY: run test lint types pytest unit bench chaos docs wsdl lock clean

run: $(VENV)/.run ## set up and run the gateway on the embedded database
	@exec $(BIN)/trunkline run $(ARGS)

test: lint types pytest ## set up and run lint, types and all tests

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

pytest: $(VENV)/.test
	$(BIN)/python -m pytest $(ARGS)

unit: $(VENV)/.test ## the tests that need no server and no database
	$(BIN)/python -m pytest tests/unit $(ARGS)

bench: $(VENV)/.test ## measure, and write docs/benchmarks.md
	$(BIN)/python -m bench $(ARGS)

chaos: $(VENV)/.test ## kill processes under load, a hundred times
	$(BIN)/python -m pytest tests/chaos --kills 100 $(ARGS)

docs: $(VENV)/.test ## regenerate the pages that are made from the code
	$(BIN)/python -m gateway.docs

wsdl: $(VENV)/.test ## regenerate the SOAP contract from the catalogue, unless that would break deployed clients
	$(BIN)/python -m gateway.frontends.soap.generator wsdl

lock: ## resolve setup.cfg's ranges into the lock files again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q setup.cfg -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q --extra test setup.cfg -o requirements-test.lock

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: Python 3.11, 3.12 or 3.13 is needed and none was found on PATH; install one or call make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock setup.cfg pyproject.toml | $(BIN)/python
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --editable .
	@touch $@

$(VENV)/.test: requirements-test.lock $(VENV)/.run
	@$(PIP) --require-hashes -r requirements-test.lock
	@touch $@
