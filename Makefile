# Everything a developer or an operator types. ARGS="…" is passed on to the program that is run.
SHELL := /bin/bash
PYTHON_BIN := .venv/bin/python
# The tests start some hundred processes: without bytecode files each of them would compile the sources again.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(PYTHON_BIN) -m pytest
.DEFAULT_GOAL := help
.PHONY: help install transcription run test check format docs bench lock wheel clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

install: ## install into .venv what running needs
	@scripts/install run

transcription: ## install also what writes recordings down
	@scripts/install transcription

run: install ## install if needed, then start Ringback (Ctrl-C stops it)
	@exec .venv/bin/ringback serve $(ARGS)

test: ## install what the tests need, then run all of them (ARGS="tests/sip -x" for some)
	@scripts/install test
ifeq ($(ARGS),)
	@# Three at a time on two cores: a process that waits for its database leaves half a core to the others.
	@$(PYTEST) -n 3 --dist loadfile --durations 20 --ignore tests/e2e </dev/null
	@# Whole programs: they wait for each other more than they work, so three tests go at a time; those that are about
	@# seconds only beside each other (a fifth of one core each), and those that load the machine on purpose get it for
	@# themselves. The longest begin first (tests/e2e/conftest.py).
	@$(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder --durations 20 -m "not alone and not waits" tests/e2e </dev/null
	@$(PYTEST) -n 3 --dist worksteal --durations 20 -m waits tests/e2e </dev/null
	@$(PYTEST) --durations 20 -m alone tests/e2e </dev/null
else
	@$(PYTEST) $(ARGS) </dev/null
endif

check: ## format, lint, types, architecture, docs
	@scripts/install dev
	@scripts/check

format: ## put the sources into the one format
	@scripts/install dev
	@$(PYTHON_BIN) -m ruff format . && $(PYTHON_BIN) -m ruff check --fix .

docs: ## write the generated pages of docs/
	@scripts/install dev
	@$(PYTHON_BIN) scripts/docs

bench: ## run the benchmarks and print one table
	@scripts/install test
	@$(PYTHON_BIN) -m benchmarks $(ARGS)

lock: ## resolve pyproject.toml into the lock files
	@scripts/lock $(ARGS)

wheel: ## build the package into dist/
	@scripts/install run
	@$(PYTHON_BIN) -m hatchling build -t wheel

clean: ## remove the installation and the caches; var/ (your data) stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
