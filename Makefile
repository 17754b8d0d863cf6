# make app: install what is needed into .venv, then open the app. make test: the same, then the tests.
# PIP_ARGS goes to pip, such as PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu".
PYTHON ?= python3
PIP_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
NODE := tests/browser/node_modules
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS)

.PHONY: app test test-all lint clean

app: $(VENV)/.ready
	$(BIN)/python -m streamlit run streamlit_app.py --server.address localhost

# Two workers of one thread each: two that share two cores lose more than they gain by more.
test: $(VENV)/.ready-dev $(NODE)/.ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

# What takes longer: the tests marked `long`, a hundred thousand hostile inputs, twenty visitors at once, then twenty with
# cameras, fifty clients of the service, and a batch of ten thousand photos.
test-all: test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m long
	$(BIN)/python -m tests.fuzz.long
	$(BIN)/python -m tests.load
	$(BIN)/python -m tests.load.in_browser
	$(BIN)/python -m tests.load.service
	$(BIN)/python -m fer tools batch-benchmark

lint: $(VENV)/.ready-dev $(NODE)/.ready
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	if [ -x $(NODE)/.bin/tsc ]; then $(NODE)/.bin/tsc -p tests/browser; fi

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed. Name one with: make app PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# torch first and alone: with it in place nothing else brings another build.
$(VENV)/.ready: requirements.txt $(VENV)/.made
	$(PIP) $$(grep '^torch==' requirements.txt)
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.ready-dev: requirements-dev.txt $(VENV)/.ready
	$(PIP) -r requirements-dev.txt
	@touch $@

# What type-checks the browser's modules, and what their tests run on. Without npm both are left out.
$(NODE)/.ready: tests/browser/package.json
	@if command -v npm >/dev/null; then \
	  npm install --prefix tests/browser --no-package-lock --ignore-scripts --no-audit --no-fund --silent && touch $@; \
	else echo "npm is not here: the modules for the browser are neither type-checked nor tested."; fi

clean:
	rm -rf $(VENV) $(NODE)
