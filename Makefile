# Every target works on a fresh checkout with nothing but Python 3.11 or newer and make.
#   make demo     the simulated two-account deployment, scanned and reported
#   make test     the test suite
#   make check    format, lint, strict types, generated pages, catalogues of the languages
#   make texts    the catalogues of the languages, written anew from the source
#   make bench    the benchmarks
# PYTHON=python3.12 chooses the interpreter, VENV=elsewhere the folder of the environment, ARGS=... is handed on.

VENV  ?= .venv
ARGS  ?=
BIN    = $(VENV)/bin
STAMP  = $(VENV)/.installed

# The first interpreter that runs and is new enough.
PYTHON ?= $(shell for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo "$$candidate"; exit; fi; done)

.PHONY: demo test check texts bench install clean
.DEFAULT_GOAL := test

demo: $(STAMP)
	@$(BIN)/python -m auditor demo $(ARGS)

test: $(STAMP)
	@$(BIN)/python -m pytest $(ARGS)

check: $(STAMP)
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python -m auditor.cli.reference --check
	@$(BIN)/python -m auditor.cli.catalogues --check

texts: $(STAMP)
	@$(BIN)/python -m auditor.cli.catalogues

bench: $(STAMP)
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python "$$file" $(ARGS) || exit $$?; done

install: $(STAMP)

# The interpreter is asked again at use: a PYTHON given by hand may be too old or absent.
$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "plaudit needs Python 3.11 or newer; found $$( "$(PYTHON)" --version 2>&1 || echo none). Try: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python && $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| "$(PYTHON)" -m venv --clear $(VENV) \
		|| { echo "Could not create $(VENV). On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing plaudit and its tools into $(VENV) ..." >&2
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(STAMP)

clean:
	rm -rf $(VENV) build dist plaudit-demo
