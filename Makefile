# One command for each job. Everything happens in .venv and build/, both disposable.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEVELOP := $(VENV)/.develop-installed
DATA := tests/data/airports
DEMO := build/quickstart
# What an installation is made of that it does not see change.
INSTALLED := pyproject.toml hatch_build.py $(wildcard prolly/codec/c/*)

.PHONY: help quickstart test long lint format types screenshots clean
.NOTPARALLEL:

help:
	@echo 'make quickstart   import two releases of a real table and see what changed'
	@echo 'make test         the tests, a few minutes at most'
	@echo 'make long         every test, the long ones and more examples too'
	@echo 'make lint         formatting and style; make format mends what it can'
	@echo 'make types        static types'
	@echo 'make screenshots  draw the pictures of the docs; pages need chromium'
	@echo 'make clean        remove .venv and build'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): $(INSTALLED) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(DEVELOP): $(INSTALLED) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(RUNTIME)

quickstart: $(RUNTIME)
	@sh tests/quickstart.sh '$(BIN)/prolly' '$(DATA)' '$(DEMO)'

test: $(DEVELOP)
	$(BIN)/python -m pytest -q -n 2

long: $(DEVELOP)
	$(BIN)/python -m pytest -q -n 2 -m 'long or not long' --hypothesis-profile=long

lint: $(DEVELOP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(DEVELOP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(DEVELOP)
	$(BIN)/mypy prolly cli

screenshots: $(DEVELOP)
	$(BIN)/python -m docs.drawing

clean:
	rm -rf $(VENV) build
