# EmoTrack: `make run` starts it, `make test` checks it, `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test emotion2vec lint clean venv

PYTHON ?= python3.11
HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 3

TESTING = -n $(WORKERS) --dist loadfile

# Tests that need real speech are skipped, with a message, where this folder does not exist.
SPEECH := $(abspath ../shared/data/speech)
ifneq ($(wildcard $(SPEECH)),)
export EMOTRACK_SPEECH_DIR ?= $(SPEECH)
endif
COMMENTS := $(abspath ../shared/data/text/goemotions)
ifneq ($(wildcard $(COMMENTS)),)
export EMOTRACK_COMMENTS_DIR ?= $(COMMENTS)
endif

help: ## list these commands
	@grep -E '^[a-z0-9]+:.*## ' Makefile | sed -E 's/^([a-z0-9]+):.*## /  make \1\t/' | expand -t 22

run: venv ## install what the site needs, prepare its data, serve it on http://127.0.0.1:8000 (HOST and PORT may be set)
	@requirements/install.sh light
	@exec .venv/bin/python manage.py run --host "$(HOST)" --port "$(PORT)"

# Each process has one thread to count with: more would wait for each other.
test: export OMP_NUM_THREADS ?= 1
test: export OPENBLAS_NUM_THREADS ?= 1
test: venv ## install what the tests need, then lint, check the layers and run every test
	@requirements/install.sh light scale test
	@$(MAKE) --no-print-directory lint
	@echo "Running the tests in $(WORKERS) processes; what is skipped is listed with its reason."
	@# Tables straight from the models: services that tests start, and PostgreSQL, go through the migrations.
	@.venv/bin/python -m pytest $(TESTING) --nomigrations -rs
	@echo "Running the tests of the product once more, on PostgreSQL."
	@.venv/bin/python -m tests.postgres $(TESTING)

emotion2vec: venv ## add torch and FunASR (about 2 GB), for the emotion2vec+ recognizer
	@requirements/install.sh light torch emotion2vec
	@echo "emotion2vec+ can be used: set EMOTRACK_RECOGNIZER=emotion2vec; docs/recognizers.md says where its weights go."

lint: ## style, formatting and the layers
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check --quiet . || { echo "Some files are not formatted: run .venv/bin/ruff format ."; exit 1; }
	@.venv/bin/lint-imports --no-cache

clean: ## remove .venv and caches; var/, where the data lives, stays
	@rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache static-collected
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@if [ ! -x .venv/bin/python ]; then \
	  command -v "$(PYTHON)" >/dev/null || { \
	    echo "EmoTrack needs Python 3.11, and there is no '$(PYTHON)' here: install it, or name one with PYTHON=/path/to/python3.11."; exit 1; }; \
	  "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	    echo "EmoTrack needs Python 3.11, and '$(PYTHON)' is $$("$(PYTHON)" -V 2>&1): name one with PYTHON=/path/to/python3.11."; exit 1; }; \
	  echo "Making .venv with $$("$(PYTHON)" -V)."; \
	  "$(PYTHON)" -m venv .venv || { rm -rf .venv; \
	    echo "Python could not make .venv: on Debian and Ubuntu its 'python3.11-venv' package is missing."; exit 1; }; \
	fi
