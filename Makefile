PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BASE := $(VENV)/base
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEBIAN_PACKAGES := chromium firefox-esr libjxl-devtools tesseract-ocr tesseract-ocr-deu tesseract-ocr-ell \
	tesseract-ocr-rus fonts-dejavu-core fonts-liberation postgresql nginx-light texlive-latex-base \
	texlive-latex-recommended
# Else every process compiles each of our files again, and each worker rewrites every assertion again.
unexport PYTHONDONTWRITEBYTECODE
export CODECARENA_TEST_DATA ?= $(abspath ../shared/data)

.DEFAULT_GOAL := help
.PHONY: help demo test base long mutants records check format constraints debian-packages

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo  ## Install, run the built-in suite, print the leaderboard
	@$(BIN)/codecarena demo

test: $(VENV)/.test debian-packages  ## Run the tests; those of `make long` at a tenth of their size
	$(BIN)/python -m pytest -n auto --dist loadgroup --no-loadscope-reorder --durations 30 $(PYTEST_ARGS)

base: $(VENV)/.test  ## Install without extras into a fresh environment, for tests/bench/test_base_install.py
	@echo "Installing codecarena without its extras ..."
	@rm -rf $(BASE) build
	@$(PYTHON) -m venv $(BASE)
	@$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir $(BASE) .
	@rm -rf build
	@$(BASE)/bin/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt $(BASE)/*.whl

long: $(VENV)/.test debian-packages  ## Run what is too slow for every change, where it is due; EVERY=1: all of it
	$(BIN)/python docs/benchmarks/long.py $(if $(EVERY),--every) $(PARTS)

mutants: $(VENV)/.mutants debian-packages  ## Plant faults at random places and record whether the tests notice
	$(BIN)/python docs/benchmarks/mutants.py $(if $(SEED),--seed $(SEED)) $(ROOMS)

records: $(VENV)/.test  ## List the records of docs/benchmarks that are older than the code they measure
	@$(BIN)/python docs/benchmarks/record_age.py

check: $(VENV)/.test  ## Check format, lint and types, then test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	@$(MAKE) --no-print-directory test

format: $(VENV)/.test  ## Format the code and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

constraints: $(VENV)/.test  ## Pin the installed set
	{ echo "# The whole tested set: both README commands install from it. Made by: make constraints"; \
	  $(BIN)/pip freeze --exclude-editable; } > constraints.txt

debian-packages:
	@missing=$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(DEBIAN_PACKAGES) 2>/dev/null \
	    | awk '$$2 == "installed" { have[$$1] } END { n = split("$(DEBIAN_PACKAGES)", want); \
	      for (i = 1; i <= n; i++) if (!(want[i] in have)) printf "%s ", want[i] }'); \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] || [ -n "$$CI" ]; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
	  else echo "Some tests will be skipped; to run them: sudo apt-get install $$missing"; fi; \
	fi

$(VENV)/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "codecarena needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/pip pyproject.toml constraints.txt
	@echo "Installing codecarena and its codecs (torch among them, a download of about 4 GB) ..."
	$(PIP) --editable '.[codecs]'
	@touch $@

$(VENV)/.test: $(VENV)/bin/pip pyproject.toml constraints.txt
	@echo "Installing codecarena with everything its tests compare it with ..."
	$(PIP) --editable '.[test]'
	@# facexlib, which pyiqa pulls in, brings the OpenCV that needs a desktop's libraries; ours goes over it.
	$(PIP) --force-reinstall --no-deps opencv-python-headless
	@touch $(VENV)/.demo $@

$(VENV)/.mutants: $(VENV)/.test
	$(PIP) --editable '.[mutants]'
	@touch $@
