# make demo | make quick | make lint | make test | make coverage | make lowest | make clean
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
DEMO ?= runs/demo
# What `make lowest` passes to pytest, e.g. TESTS=tests/ops.
TESTS ?= tests
# Tests without trainings, browsers and processes of their own.
QUICK := tests/ops tests/data tests/classical tests/inference tests/photographs tests/figures tests/recipes \
  tests/book/test_claims.py tests/book/test_contents.py tests/evaluation/test_intervals.py tests/test_files.py

.PHONY: help demo quick lint test coverage lowest clean

help:
	@echo "make demo      train a small GLCIC on generated faces and look at its fills (minutes, no data needed)"
	@echo "make quick     style, types, import directions and the quick tests: under two minutes"
	@echo "make lint      style (ruff), types (mypy) and import directions (import-linter)"
	@echo "make test      lint and the whole test suite: about a quarter of an hour"
	@echo "make coverage  the same, and which lines no test reaches: a quarter longer"
	@echo "make lowest    the test suite with the oldest requirements allowed, in $(LOWEST); TESTS=tests/ops for a part"
	@echo "make clean     remove the virtual environments ($(VENV), $(LOWEST)); runs/ stays"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "error: Python 3.10 or newer is needed; name one with: make PYTHON=python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/python scripts/first_repair.py --output=$(DEMO)_first.png
	$(BIN)/python train.py --model=glcic_gentle --dataset=synthetic_faces --preset=demo --workdir=$(DEMO)
	$(BIN)/python eval.py --workdir=$(DEMO) --baseline=telea --baseline=navier_stokes --baseline=biharmonic \
	  --output=$(DEMO)/comparison
	@echo
	@echo "Repairs by a shipped model  $(DEMO)_first.png"
	@echo "The demo's run is in        $(DEMO)"
	@echo "  input, filled, original   $(DEMO)/comparison/sheet.png"
	@echo "  the table, the bars       $(DEMO)/comparison/table.md, comparison.png"
	@echo "  loss curves, samples      $(DEMO)/figures"
	@echo "  the trained model         $(DEMO)/model.keras"

quick: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not slow' $(QUICK)

test: $(VENV)/.installed-test lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --durations=10 $(COVERAGE)

coverage: COVERAGE = --cov --cov-report=term
coverage: test

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(LOWEST)/.installed: setup.cfg pyproject.toml scripts/lower_bounds.py
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --upgrade pip
	$(LOWEST)/bin/python scripts/lower_bounds.py setup.cfg > $(LOWEST)/constraints.txt
	$(LOWEST)/bin/python -m pip install --quiet --constraint $(LOWEST)/constraints.txt --editable '.[test]'
	@touch $@

lowest: $(LOWEST)/.installed
	$(LOWEST)/bin/python -m pytest -n 2 --dist loadfile $(TESTS)

clean:
	rm -rf $(VENV) $(LOWEST)
