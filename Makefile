# Two commands do all the set-up on a fresh machine that has Python 3.11+, make and git:
#   make demo   the product on SQLite with the built-in sandbox Twilio, in one terminal
#   make test   everything the tests need, then the tests
# The rest is for developers. `make help` lists it.

PYTHON ?= python3
TOOLS := .tools
# An installed uv is used; otherwise one is put into .tools/.
UV := $(shell command -v uv 2>/dev/null || echo $(TOOLS)/bin/uv)
export UV_PYTHON_DOWNLOADS ?= automatic
RUN := .venv/bin/python
PYTEST := $(RUN) -m pytest

.PHONY: help demo test check unit slow browser chromium bench lint format types docs clean

help:
	@sed -n 's/^# //p' Makefile | head -5
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 12

.venv/ready: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@command -v $(UV) >/dev/null || { $(PYTHON) -m venv $(TOOLS) && $(TOOLS)/bin/pip install --quiet uv; }
	$(UV) sync --quiet --locked --python $(PYTHON)
	@touch $@

demo: .venv/ready  ## the whole product with a sandbox Twilio; prints address and login
	@$(RUN) manage.py demo $(ARGS)

test: check unit slow browser  ## all tests

check: lint types  ## linter, formatter, types, Django's checks, missing migrations
	@DEBUG=1 $(RUN) manage.py check --fail-level WARNING
	@DEBUG=1 $(RUN) manage.py makemigrations --check --dry-run

lint: .venv/ready
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

types: .venv/ready
	@DEBUG=1 .venv/bin/mypy registrations a2p_admin

format: .venv/ready  ## format the code
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .

unit: .venv/ready  ## quick tests
	$(PYTEST) -q -m "not slow and not browser" -n auto --dist worksteal

slow: .venv/ready  ## tests with real worker processes
	$(PYTEST) -q -m "slow and not browser"

# Playwright keeps an asyncio loop in its thread, so the browser tests are a pytest process of their own.
browser: chromium  ## tests in Chromium
	$(PYTEST) -q -m browser tests/browser

chromium: .venv/ready
	@$(RUN) tests/browser/chromium.py

bench: .venv/ready  ## measure; prints a table
	@$(RUN) -m tests.bench $(ARGS)

docs: .venv/ready  ## regenerate the generated documents
	@DEBUG=1 $(RUN) manage.py failure_table

clean:
	rm -rf .venv $(TOOLS) var staticfiles .pytest_cache .mypy_cache .ruff_cache test-results
