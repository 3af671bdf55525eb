# Everything one does with the project. `make run` and `make test` are all a newcomer needs.
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(if $(shell $(p) -c '$(SUPPORTED)' 2>/dev/null && echo yes),$(p))))
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
ARGS ?=
# Everything but the clients that others wrote, which need their languages: `make test-interop`.
TESTS ?= tests/unit tests/contract tests/integration tests/security tests/chaos
# What shows /docs/api: a version of the npm package openapi-explorer, and its archive's SHA-512.
VIEWER := 2.4.820
VIEWER_SHA512 := 987488c64412e7bfd00d9b4b24a64be339ac4761d2b60048e0f6eb818afffa2f8193e1e047076d0513759f4b949e51d47a7a7288e24028f1a5793866e6b761b0
VIEWER_FILES := gateway/frontends/reference/assets

.PHONY: run test lint types pytest unit test-interop bench chaos fuzz docs wsdl vendor lock clean

run: $(VENV)/.run ## set up and run the gateway on the embedded database
	@exec $(BIN)/trunkline run $(ARGS)

test: lint types pytest ## set up and run lint, types and the tests

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

pytest: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal $(TESTS) $(ARGS)

unit: $(VENV)/.test ## the tests that need no server and no database
	$(BIN)/python -m pytest tests/unit $(ARGS)

test-interop: $(VENV)/.test ## install clients that others wrote, run them, and write docs/interoperability.md
	$(BIN)/python -m tests.interop.table $(ARGS)

bench: $(VENV)/.test ## measure, and write docs/benchmarks.md
	$(BIN)/python -m bench $(ARGS)

chaos: $(VENV)/.test ## kill processes under load, a hundred times
	$(BIN)/python -m pytest tests/chaos --kills 100 $(ARGS)

fuzz: $(VENV)/.test ## feed the SMPP decoder and sessions hostile bytes for ten minutes
	$(BIN)/python -m tests.fuzz.smpp --seconds 600 $(ARGS)

docs: $(VENV)/.test ## regenerate the pages that are made from the code
	$(BIN)/python -m gateway.docs

wsdl: $(VENV)/.test ## regenerate the SOAP contract from the catalogue, unless that would break deployed clients
	$(BIN)/python -m gateway.frontends.soap.generator wsdl

vendor: ## take the files of /docs/api's viewer from npm again
	@rm -rf build/vendor && mkdir -p build/vendor
	@cd build/vendor && npm pack --silent openapi-explorer@$(VIEWER) >/dev/null
	@echo "$(VIEWER_SHA512)  build/vendor/openapi-explorer-$(VIEWER).tgz" | sha512sum --check --quiet
	@tar -xzf build/vendor/openapi-explorer-$(VIEWER).tgz -C build/vendor
	@cp build/vendor/package/dist/browser/openapi-explorer.min.js $(VIEWER_FILES)/
	@cp build/vendor/package/LICENSE $(VIEWER_FILES)/openapi-explorer.LICENSE
	@sed -i 's/OpenAPI Explorer [0-9.]* by/OpenAPI Explorer $(VIEWER) by/' $(VIEWER_FILES)/NOTICE

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
