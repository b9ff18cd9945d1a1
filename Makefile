# Two commands are all a stranger needs: `make demo` and `make test`. Both set up what they need in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
JVM    := $(shell command -v java 2>/dev/null)
SPARK  := $(if $(JVM),-r requirements/spark.lock)

.PHONY: demo test check format bench soak lock clean translations

demo: $(VENV)/ready ## the whole story, offline, in a new folder
	@rm -rf demo-workspace
	@$(BIN)/lastro demo demo-workspace

test: check ## every check, then every test
	@$(BIN)/python -m pytest -n 3 --dist loadgroup -q

check: $(VENV)/ready ## style, types, layers and budgets
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache | tail -n 12
	@$(BIN)/python -m pytest -q tests/tidy

format: $(VENV)/ready ## rewrites the code in the house style
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/ready ## the figures of docs/benchmarks.md, as ratios in one run
	@$(BIN)/python -m bench

soak: $(VENV)/ready ## the long suites: kills, damage, stale pairs
	@LASTRO_EXAMPLES=new $(BIN)/python -m pytest -q -m soak tests

translations: $(VENV)/ready ## collects the messages and compiles the catalogues
	@$(BIN)/python -m tests.tidy.translations

lock: $(VENV)/ready ## pins the development dependencies anew
	@sh requirements/lock.sh $(BIN)

clean: ## removes what the other targets made
	@rm -rf $(VENV) demo-workspace .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/ready: pyproject.toml requirements/dev.lock requirements/spark.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lastro needs Python 3.11 or newer; set PYTHON=")'
	@echo "setting up $(VENV) (a minute or two the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -r requirements/dev.lock $(SPARK)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
