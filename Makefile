# `make demo` sets up and runs the main job; `make test` sets up and passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := .demo

.PHONY: demo test lint types imports unit package clean

demo: $(VENV)/.base
	$(BIN)/ragvl index examples/documents --index $(DEMO)
	$(BIN)/ragvl ask "What was the operating profit in 2025?" --index $(DEMO)
	$(BIN)/ragvl ask "Why can't Kittiwake use Berth 2 at Otterhaven around low water?" --index $(DEMO)
	$(BIN)/ragvl ask "Of the planned 38 million, how much goes into shore charging?" --index $(DEMO) --show --out ragvl-answer.html
	@echo
	@echo "Now look: open ragvl-answer.html, or index a folder of your own with $(BIN)/ragvl index PATH"

test: lint types imports unit package

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not slow"

package: $(VENV)/.dev
	$(BIN)/python scripts/check_wheel.py

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit("ragvl needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

$(VENV)/.base: $(VENV)/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) $(DEMO) ragvl-answer.html build dist *.egg-info
