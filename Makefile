# `make demo` serves the page, `make test` runs all tests; both set up what they need. `make` alone lists the rest.
PYTHON ?= python3.11 python3.12 python3.13 python3.14 python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INDEX ?= assets/indexes/python
# The indexes that INDEX may name before they are there: their corpora need no file.
BUILDABLE := assets/indexes/python/manifest.json assets/indexes/conala/manifest.json
TESTS ?= tests
FILES ?= .
# PyTorch without CUDA: nothing here uses a GPU, and Linux's usual build brings some 3 GB of libraries for one.
TORCH_CPU ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Tools that look at .venv from outside, so that they are no part of it.
AUDIT := .venv-audit

.DEFAULT_GOAL := help
.PHONY: help setup demo conala milvus milvus-demo test check format benchmark figures faults screenshots lock audit sbom clean

help:  ## Lists the commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## Makes .venv with the pinned dependencies and the project; every command below does this, too.

$(READY): requirements.lock pyproject.toml $(wildcard retrieval/native/*.c)
	@test -x $(BIN)/python || { \
		for python in $(PYTHON); do \
			$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; python=; \
		done; \
		test -n "$$python" || { echo "Python 3.11 or later is needed: install it, or name it with PYTHON=..."; exit 1; }; \
		echo "$$($$python --version) makes $(VENV). Tested with Python 3.11; later versions may work."; \
		$$python -m venv $(VENV); }
	@if [ "$$(uname -s)" = Linux ] && timeout 2 $(BIN)/python -c \
		'import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + "/torch/")' $(TORCH_CPU) 2>/dev/null; then \
		$(PIP) --no-deps --timeout 15 --retries 1 --index-url $(TORCH_CPU) $$(grep '^torch==' requirements.txt) || \
			echo "PyTorch's CPU build could not be had from $(TORCH_CPU): the usual one is taken."; fi
	$(PIP) --no-deps --require-hashes -r requirements.lock
	$(PIP) $$(grep '^torch==' requirements.txt)
	@rm -f retrieval/native/*.so  # a library of older sources must not stay where the new ones do not compile
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(BUILDABLE): assets/indexes/%/manifest.json: | $(READY)
	$(BIN)/python scripts/build_index.py --corpus $* --output assets/indexes/$*

demo: $(READY)  ## Serves the page on http://127.0.0.1:7860; builds a small index first if there is none.
	$(BIN)/python app.py

conala: $(READY) assets/indexes/conala/manifest.json  ## Serves the 593,891 documents of CoNaLa; first builds the index from the hub.
	$(BIN)/python app.py --index assets/indexes/conala

milvus: $(VENV)/.milvus-ready  ## Installs what an index in Milvus needs, and a packaged server for Linux to try it out.

$(VENV)/.milvus-ready: requirements-databases.txt | $(READY)
	@if [ "$$(uname -s)" = Linux ]; then $(PIP) $$(grep -E '^(milvus|pymilvus)==' requirements-databases.txt); \
		else $(PIP) $$(grep '^pymilvus==' requirements-databases.txt); fi
	@touch $@

milvus-demo: milvus assets/indexes/python/manifest.json  ## Serves the page from a Milvus server on this machine, with the small index in it.
	$(BIN)/python scripts/milvus_demo.py

test: $(READY)  ## Runs the tests in two processes: all, or those in TESTS=tests/search.
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(READY)  ## Checks lint, format and types of everything, or of FILES=retrieval/search.
	$(BIN)/ruff check $(FILES)
	$(BIN)/ruff format --check $(FILES)
	$(BIN)/mypy $(filter-out .,$(FILES))

format: $(READY)  ## Formats the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: $(READY) $(filter $(INDEX)/manifest.json,$(BUILDABLE))  ## Measures INDEX (default: the small one) with the query files QUERIES; writes JSON=FILE.
	$(BIN)/python scripts/benchmark.py --index $(INDEX) $(foreach file,$(QUERIES),--queries $(file)) $(if $(JSON),--json $(JSON))

figures: $(READY)  ## Writes the tables and plots of the documents from assets/benchmarks.
	$(BIN)/python scripts/figures.py

faults: $(READY)  ## Injects faults and writes the table of outcomes into SECURITY.md.
	$(BIN)/python scripts/faults.py --json assets/benchmarks/faults.json --text SECURITY.md

screenshots: $(READY) $(filter $(INDEX)/manifest.json,$(BUILDABLE))  ## Takes the screenshots of the page with INDEX; needs Chromium.
	$(BIN)/python scripts/screenshots.py --index $(INDEX)

$(AUDIT)/.ready: requirements-audit.txt | $(READY)
	$(BIN)/python -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-audit.txt
	@touch $@

# PyTorch is left out, with what it alone brings: its build differs by machine, and so do its hashes.
lock: $(AUDIT)/.ready  ## Writes requirements.lock with the hashes of everything that setup installs; run it after changing a pin.
	@echo "torch ; python_version < '0'" | $(AUDIT)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--override /dev/stdin --system-certs --no-annotate --no-header --output-file requirements.lock requirements.txt requirements-dev.txt

audit: $(AUDIT)/.ready  ## Looks for known vulnerabilities in everything in requirements.lock, and in PyTorch.
	@cat requirements.lock requirements.txt | grep -oE '^[A-Za-z0-9._-]+==[^ ]+' | sort -u > $(AUDIT)/pinned.txt
	@$(AUDIT)/bin/pip-audit --progress-spinner off --strict --disable-pip --no-deps -r $(AUDIT)/pinned.txt 2> $(AUDIT)/audit.log || { \
		if grep -qE 'not found on PyPI|Connection|ServiceError|HTTPError|Timeout' $(AUDIT)/audit.log; then \
			echo "Nothing was audited: the vulnerability database cannot be reached from here."; \
		else grep -v WARNING $(AUDIT)/audit.log; fi; exit 1; }

sbom: $(AUDIT)/.ready  ## Lists the installed packages: build/sbom.json (CycloneDX) and build/licenses.md.
	@mkdir -p build
	$(AUDIT)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file build/sbom.json $(BIN)/python
	$(AUDIT)/bin/pip-licenses --python $(BIN)/python --format markdown --with-urls --output-file build/licenses.md

clean:  ## Removes the tools' leftovers; keeps the indexes and .venv.
	rm -rf .pytest_cache .mypy_cache .ruff_cache build *.egg-info
