# Every verb of the project. `make` alone lists them.

export PIP_DISABLE_PIP_VERSION_CHECK = 1

BIN := .venv/bin
STEP := sh tools/step.sh
WORKERS ?= 2
CELL_TIMEOUT ?= 600
THREADS ?= 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-dev book test coverage check variant benchmarks format clean

help: ## List the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

setup: ## Create .venv and install the pinned package into it
	@sh tools/install.sh

setup-dev: ## The same with what tests and checks need
	@sh tools/install.sh dev

book: setup ## Run the notebooks, build the book, say where to open it
	@$(STEP) "run the notebooks" $(BIN)/beyond-alignment book run
	@$(STEP) "build the book" $(BIN)/beyond-alignment book build

test: setup-dev ## Unit tests, the committed notebooks, the checks
	@$(STEP) "tests" env OMP_NUM_THREADS=$(THREADS) $(BIN)/python -m pytest -q tests -n $(WORKERS) --dist loadfile --no-loadscope-reorder
	@$(STEP) "notebooks" env OMP_NUM_THREADS=$(THREADS) $(BIN)/python -m pytest -q notebooks \
		--nbval --nbval-current-env --nbval-cell-timeout=$(CELL_TIMEOUT) -n $(WORKERS) --dist loadfile
	@$(MAKE) --no-print-directory check

coverage: setup-dev ## Unit tests with the lines that none of them reaches (takes about twice as long)
	@$(STEP) "coverage" env OMP_NUM_THREADS=$(THREADS) $(BIN)/python -m pytest -q tests -n $(WORKERS) --dist loadfile \
		--cov=beyond_alignment --cov-report=term-missing:skip-covered

check: setup-dev ## Lint, formatting, types, layers
	@$(STEP) "ruff check" $(BIN)/ruff check --quiet
	@$(STEP) "ruff format" $(BIN)/ruff format --quiet --check
	@$(STEP) "mypy" $(BIN)/mypy --no-error-summary
	@$(STEP) "import-linter" $(BIN)/lint-imports

variant: setup-dev ## The tests as another processor would run them: make variant N=0 to 5
	@sh tools/variant.sh $(N) $(MAKE) --no-print-directory test

benchmarks: setup-dev ## Speed against other packages, as ratios measured in one run
	@$(BIN)/python -m pytest -q benchmarks -s

format: setup-dev ## Format code and notebooks, mend what can be mended
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format

clean: ## Remove what was built and executed; .venv and downloaded data stay
	@rm -rf _build executed htmlcov .coverage .coverage.* \
		.pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
