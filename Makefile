# make demo | make test | make lint | make clean
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= runs/demo

.PHONY: help demo test lint clean

help:
	@echo "make demo    train a small GLCIC on generated faces and look at its fills (minutes, no data needed)"
	@echo "make test    the whole test suite"
	@echo "make lint    style"
	@echo "make clean   remove the virtual environment ($(VENV)); runs/ stays"

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
	$(BIN)/python train.py --model=glcic --dataset=synthetic_faces --preset=demo --workdir=$(DEMO)
	$(BIN)/python eval.py --workdir=$(DEMO) --baseline=telea --baseline=navier_stokes --baseline=biharmonic \
	  --output=$(DEMO)/comparison
	@echo
	@echo "The demo's run is in        $(DEMO)"
	@echo "  input, filled, original   $(DEMO)/comparison/sheet.png"
	@echo "  the table, the bars       $(DEMO)/comparison/table.md, comparison.png"
	@echo "  loss curves, samples      $(DEMO)/figures"
	@echo "  the trained model         $(DEMO)/model.keras"

test: $(VENV)/.installed-test lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --durations=10

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf $(VENV)
