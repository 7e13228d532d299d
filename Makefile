# Two commands do all the setup on a fresh machine that has Python 3.11+, make and git:
#   make demo   the product on SQLite with the built-in sandbox Twilio, in one terminal
#   make test   the quick tests and everything they need; `make test-all` is everything
# DATABASE_URL chooses the tests' database (default: SQLite). `make help` lists the rest.

PYTHON ?= python3
TOOLS := .tools
# An installed uv is used; otherwise one is put into .tools/.
UV := $(shell command -v uv 2>/dev/null || echo $(TOOLS)/bin/uv)
export UV_PYTHON_DOWNLOADS ?= automatic
RUN := .venv/bin/python
PYTEST := $(RUN) -m pytest -q
# One more process than cores: the tests of the workflow wait now and then.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)
RESULTS := test-results

.PHONY: help demo test test-all check lint format types unit exhaustive smoke smoke-slow smoke-browser slow browser chromium bench docs clean

help:
	@sed -n 's/^# //p' Makefile | head -4
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 12

.venv/ready: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@command -v $(UV) >/dev/null || \
		{ echo "Installing uv into $(TOOLS)/ ..."; $(PYTHON) -m venv $(TOOLS) && $(TOOLS)/bin/pip install --quiet uv; }
	@echo "Installing the Python packages into .venv/ (only when they change) ..."
	@$(UV) sync --quiet --locked --python $(PYTHON)
	@touch $@

demo: .venv/ready  ## the whole product with a sandbox Twilio; prints address and login
	@echo "Starting the demo ..."
	@$(RUN) manage.py demo $(ARGS)

# --- tests -------------------------------------------------------------------------------------------------
# The crash test mostly waits, so it runs beside the unit tests.
test: check chromium  ## checks, unit tests, one crash test, one browser test
	@mkdir -p $(RESULTS)
	@$(MAKE) --no-print-directory smoke-slow > $(RESULTS)/smoke.log 2>&1 & smoke=$$!; \
	$(MAKE) --no-print-directory unit; unit=$$?; \
	wait $$smoke; smoke=$$?; cat $(RESULTS)/smoke.log; exit $$((unit || smoke))
	@$(MAKE) --no-print-directory smoke-browser

# The slow tests mostly wait, so the browser tests run beside them. Their output follows at the end.
test-all: check unit chromium  ## everything; slow and browser tests side by side
	@mkdir -p $(RESULTS)
	@$(MAKE) --no-print-directory browser > $(RESULTS)/browser.log 2>&1 & browser=$$!; \
	$(MAKE) --no-print-directory slow; slow=$$?; \
	echo "Waiting for the browser tests ..."; \
	wait $$browser; browser=$$?; cat $(RESULTS)/browser.log; exit $$((slow || browser))

check: lint types  ## linter, formatter, types, Django's checks, missing migrations
	@echo "Checking settings and migrations ..."
	@DEBUG=1 $(RUN) manage.py check --fail-level WARNING
	@DEBUG=1 $(RUN) manage.py makemigrations --check --dry-run

lint: .venv/ready
	@echo "Checking style ..."
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

types: .venv/ready
	@echo "Checking types ..."
	@DEBUG=1 .venv/bin/mypy registrations a2p_admin

format: .venv/ready  ## format the code
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .

unit: .venv/ready  ## unit tests
	@echo "Running the unit tests in $(WORKERS) processes ..."
	@$(PYTEST) -m "not slow and not browser and not exhaustive" -n $(WORKERS) --dist worksteal

exhaustive: .venv/ready  ## large families: every rejection, every absurd address, every broken reply
	@echo "Running the large families of tests in $(WORKERS) processes ..."
	@$(PYTEST) -m "exhaustive and not slow" -n $(WORKERS) --dist worksteal

# Playwright keeps an asyncio loop in its thread, so the browser tests are a pytest process of their own.
smoke: smoke-slow smoke-browser  ## kill -9 of a real worker; one customer in Chromium from the form to live

smoke-slow: .venv/ready
	@echo "Killing a real worker, again and again ..."
	@$(PYTEST) -m "smoke and slow"

smoke-browser: chromium
	@echo "Registering a customer in Chromium ..."
	@$(PYTEST) -m "smoke and browser" tests/browser

slow: .venv/ready  ## tests with real worker processes
	@echo "Running the tests with real worker processes ..."
	@$(PYTEST) -m "slow and not browser" $(TESTS)

browser: chromium  ## tests in Chromium
	@echo "Running the browser tests ..."
	@$(PYTEST) -m browser tests/browser

chromium: .venv/ready
	@$(RUN) tests/browser/chromium.py

bench: .venv/ready  ## measure and print tables; a load test with 100 customers
	@$(RUN) -m tests.bench $(ARGS)
	@test -n "$(ARGS)" || LOAD_CUSTOMERS=100 $(PYTEST) -m slow -s tests/load

docs: .venv/ready  ## regenerate the generated documents
	@DEBUG=1 $(RUN) manage.py failure_table

clean:
	rm -rf .venv $(TOOLS) var staticfiles .pytest_cache .mypy_cache .ruff_cache $(RESULTS)
