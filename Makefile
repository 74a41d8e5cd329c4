# Two commands for a newcomer: make demo, make test. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PIP := $(BIN)/python -m pip --disable-pip-version-check
export CHECKUP_WORKSPACE ?= $(CURDIR)/checkup-workspace
# The installation leaves bytecode to the first import: a setting that forbids to write it would compile at every start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo setup setup-dev setup-full test test-long bench lint lock clean

help:
	@echo "make demo        einrichten, Projekte laden, drei Beispiel-Lagen beantworten"
	@echo "make test        alle Tests (unter 8 Minuten)"
	@echo "make setup-full  zusätzlich torch und Sentence Transformers (zweites Sprachmodell, Training)"
	@echo "make test-long   Dauer-, Abbruch- und Zufallsläufe"
	@echo "make bench       Messungen: Start, Einbetten, Indexieren, Antworten, Speicher"
	@echo "make lint lock clean"

$(VENV)/default.done: requirements/default.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else 'Python 3.11, 3.12 oder 3.13 wird gebraucht (make demo PYTHON=python3.12)')"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --no-compile --require-hashes --no-deps --only-binary=:all: -r requirements/default.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.done: $(VENV)/default.done requirements/dev.lock
	$(PIP) install --quiet --require-hashes --no-deps --only-binary=:all: -r requirements/dev.lock
	@touch $@

setup: $(VENV)/default.done

setup-dev: $(VENV)/dev.done

# torch stands in no hashed lock: local builds have hashes of their own.
setup-full: $(VENV)/default.done
	$(PIP) install --quiet -e ".[transformers]"

demo: setup
	$(BIN)/checkup seed --workers 2
	$(BIN)/checkup match --file data/samples/dorf.txt --top 3
	$(BIN)/checkup match --file data/samples/grossstadt.txt --top 3
	$(BIN)/checkup match --file data/samples/kreisstadt.txt --top 3

test: setup-dev
	$(BIN)/python -m pytest -m "not long" -n 2 --dist loadfile --no-loadscope-reorder

test-long: setup-dev
	$(BIN)/python -m pytest -m long

bench: setup-dev
	$(BIN)/python -m bench

lint: setup-dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

lock:
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		pyproject.toml --extra build -o requirements/default.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		pyproject.toml --extra build --group dev -o requirements/dev.lock

clean:
	rm -rf $(VENV) checkup-workspace build dist
