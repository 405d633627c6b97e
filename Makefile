# Bedside: `make run` starts it, `make help` lists the rest.
# Needs Python 3.11 or newer; everything else is installed into .venv.

.DEFAULT_GOAL := help
SHELL := /bin/bash
PORT ?= 8501
PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
VENV := .venv
BIN := $(VENV)/bin
# Without .pyc files for code that is never run the installation is 0.94 GB instead of 1.16.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes

# A worker for each core; tests/workers.py says which tests stay together.
# One more than there are cores: the worker that has the browser mostly waits for it.
CORES := -n $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.PHONY: help run install test test-all lint check browser bench lock clean

help: ## list what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'
	@echo "  PORT=8502 make run   on another port;  PYTHON=/path/to/python  with another Python"

run: $(VENV)/installed ## install if needed, then serve on http://127.0.0.1:8501 until Ctrl+C
	@$(BIN)/python scripts/port_free.py $(PORT)
	@exec $(BIN)/python -m streamlit run app.py --server.port $(PORT)

install: $(VENV)/installed ## make .venv and install what Bedside runs on, from the hash-pinned lock

$(VENV)/python: scripts/python_fits.py
	@test -n "$(PYTHON)" || { echo "No Python was found. Bedside needs Python 3.11 or newer."; exit 1; }
	@"$(PYTHON)" scripts/python_fits.py
	@test -x $(BIN)/python || { echo "Making $(VENV) ..."; "$(PYTHON)" -m venv $(VENV); }
	@touch $@

$(VENV)/installed: $(VENV)/python requirements.txt
	@echo "Installing (0.9 GB, a minute or two; only when requirements.txt changed) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	@echo "Installing what the tests need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

$(VENV)/installed-all: $(VENV)/installed-dev requirements-all.txt
	@echo "Installing Spark (0.45 GB) ..."
	@$(PIP) -r requirements-all.txt
	@touch $@

.PHONY: tools databases
databases: $(VENV)/installed-dev
	@bash scripts/find_postgres.sh

tools: databases
	@bash scripts/find_browser.sh $(BIN)/python
	@$(BIN)/python scripts/fetch_axe.py

# Whatever runs is compiled once, for every worker and for every process that a page or a test starts.
test test-all check browser: export PYTHONDONTWRITEBYTECODE :=

test: lint tools ## install what tests need, a browser and PostgreSQL included, then lint and test
	$(BIN)/python -m pytest $(CORES)

test-all: lint tools $(VENV)/installed-all ## the same and the slow suite: Spark, which is installed for it
	@bash scripts/find_java.sh
	$(BIN)/python -m pytest $(CORES) -m "slow or not slow"

check: lint databases ## lint and test everything but the browser
	$(BIN)/python -m pytest $(CORES) --ignore=tests/browser

browser: tools ## only the browser tests
	$(BIN)/python -m pytest tests/browser

lint: $(VENV)/installed-dev ## ruff
	$(BIN)/python -m ruff check .

bench: databases ## how long a start takes, and curves of 10,000,000 rows, each beside a peer
	$(BIN)/python -m benchmarks.start
	$(BIN)/python -m benchmarks.curves_10m

lock: $(VENV)/installed-dev ## compile the requirements .in files into the hash-pinned locks
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --python-version 3.11 requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 -c requirements.txt requirements-boost.in -o requirements-boost.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 -c requirements.txt requirements-omop.in -o requirements-omop.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 -c requirements.txt requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 -c requirements-dev.txt requirements-all.in -o requirements-all.txt

clean: ## remove .venv and what tests left; the data folder .bedside stays
	rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis
