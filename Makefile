PYTHON ?= python3
COMPILE = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.PHONY: help install run test check pictures lock

help:  ## Show this list.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

install:  ## Create .venv and install what the service and its tests need.
	$(PYTHON) -m venv .venv && .venv/bin/pip install -r requirements-dev.txt

run:  ## Start the service for development, with demonstration accounts, on port 8000.
	.venv/bin/python manage.py quickstart

test:  ## Run the tests on SQLite.
	.venv/bin/pytest

check:  ## Check style, types and layers, and that no migration is missing.
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy . && .venv/bin/lint-imports
	.venv/bin/python manage.py makemigrations --check --settings authsvc.tests.settings

pictures:  ## Picture the pages of docs/administration.md anew, with chromium; look at what changed.
	PICTURES=write .venv/bin/pytest authsvc/tests/test_pictures.py

lock:  ## Pin requirements*.in with hashes; UPGRADE=1 takes the newest versions.
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) requirements-tracing.in --output-file requirements-tracing.txt
	$(COMPILE) requirements-dev.in --output-file requirements-dev.txt
	$(COMPILE) .ci/clients/requirements.in --output-file .ci/clients/requirements.txt
