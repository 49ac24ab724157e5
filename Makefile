# The two that need nothing set up first:  make run  and  make test.
.DEFAULT_GOAL := help
.PHONY: help run mesh test soak bench check proto lock clean \
	check-format check-lint check-types check-imports check-protos check-generated check-requirements check-shell \
	setup-check

BIN := .venv/bin

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: ## set up what is missing and start the sidecar on 127.0.0.1:50051
	@tools/setup run
	@exec tools/run

mesh: ## two sidecars and two Envoys with mutual TLS on this machine, to try; Ctrl-C ends all
	@tools/setup test
	@exec $(BIN)/python -m tools.mesh

test: ## set up what is missing and run all tests: unit, contract, integration, end to end
	@tools/setup test
	@$(BIN)/python -m pytest

soak: ## run the long tests that watch memory, tasks and sockets
	@tools/setup test
	@$(BIN)/python -m pytest -m soak

bench: ## measure what the sidecar costs: a table, and build/bench.json
	@tools/setup test
	@$(BIN)/python -m bench

check: ## everything but the tests: format, lint, types, imports, protos, locks, shell (-k shows all faults)
check: check-format check-lint check-types check-imports check-protos check-generated check-requirements check-shell

setup-check:
	@tools/setup check

check-format: setup-check
	$(BIN)/ruff format --check --quiet

check-lint: setup-check
	$(BIN)/ruff check --quiet

check-types: setup-check
	$(BIN)/mypy

check-imports: setup-check
	$(BIN)/lint-imports --no-logo

check-protos: setup-check
	$(BIN)/buf lint protos
	@for image in protos/released/*.binpb; do \
		test -e "$$image" || continue; \
		echo "$(BIN)/buf breaking protos --against $$image"; \
		$(BIN)/buf breaking protos --against "$$image" || exit 1; \
	done

check-generated: setup-check
	tools/check-generated

check-requirements: setup-check
	$(BIN)/python tools/check_requirements.py
	@$(BIN)/python -m pip check

check-shell: setup-check
	@PATH="$(CURDIR)/$(BIN):$$PATH" shellcheck $$(grep -lE '^#!.*/(env )?(ba)?sh$$' tools/* .ci/*)

proto: ## generate sidecar/v1 from protos/
	@tools/setup check
	tools/proto

# Keeps the versions that are pinned unless pyproject.toml forbids them; LOCK_FLAGS=--upgrade takes the newest.
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --generate-hashes \
	--python-version 3.11 $(LOCK_FLAGS)
lock: ## write requirements/*.txt anew from pyproject.toml (newest versions: make lock LOCK_FLAGS=--upgrade)
	@tools/setup check
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) --group build -c requirements/run.txt -o requirements/build.txt
	$(COMPILE) --group dev -c requirements/run.txt -c requirements/build.txt -o requirements/dev.txt

clean: ## remove all that setup, tests and checks made
	rm -rf .venv build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find sidecar tests tools -name __pycache__ -prune -exec rm -rf {} +
