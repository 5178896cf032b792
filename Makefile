# Two commands are enough: `make demo` serves the page, `make test` runs everything. `make help` explains the rest.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INDEX ?= assets/indexes/packages

.DEFAULT_GOAL := setup
.PHONY: help setup demo conala test check format screenshots benchmark figures clean

help:  ## Explains the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## Makes .venv with all that is pinned, and the project itself.

$(READY): requirements.txt requirements-dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: install it, or name it with PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: $(READY)  ## Serves the page on http://127.0.0.1:7860, and builds the small default index if there is none.
	$(BIN)/python app.py

conala: $(READY)  ## Builds the index of the 593,891 documents from the hub, if there is none, and serves it.
	test -f assets/indexes/conala/manifest.json || \
		$(BIN)/python scripts/build_index.py --corpus conala --output assets/indexes/conala
	$(BIN)/python app.py --index assets/indexes/conala

test: $(READY)  ## Runs the whole test suite, in two processes.
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(READY)  ## Runs the linter, the formatter's check and the type checker over everything.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## Rewrites the code in the one format.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: $(READY)  ## Measures the index INDEX with the query files QUERIES, and keeps the run in JSON if that is given.
	$(BIN)/python scripts/benchmark.py --index $(INDEX) $(foreach file,$(QUERIES),--queries $(file)) $(if $(JSON),--json $(JSON))

figures: $(READY)  ## Makes the README's tables and plots from assets/benchmarks.
	$(BIN)/python scripts/figures.py

screenshots: $(READY)  ## Takes the pictures of the README; needs Chromium.
	$(BIN)/python scripts/screenshots.py --index $(INDEX)

clean:  ## Removes what the tools left; keeps the indexes and .venv.
	rm -rf .pytest_cache .mypy_cache .ruff_cache build *.egg-info
