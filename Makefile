# make train: set up, then train a small network on synthetic triggers.   make test: set up, then run every test.
# make slurm: the tests in a real SLURM of one node, which wait more than they compute.
PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check

.PHONY: train test slurm check bench docs clean
train: $(VENV)/.installed
	$(VENV)/bin/hepclf train model=mlp_plain

test: $(VENV)/.installed-test
	$(VENV)/bin/python -m pytest -n auto --dist loadfile

slurm: $(VENV)/.installed-test
	$(VENV)/bin/python -m pytest -n 4 --dist load -m "slurm and not slow" --durations=10 $(SLURM_OPTIONS)

check: $(VENV)/.installed-dev
	scripts/check

bench: $(VENV)/.installed-test
	$(VENV)/bin/python scripts/bench

# The site, in build/docs/index.html. A broken link fails.
docs: $(VENV)/.installed-docs
	$(VENV)/bin/python -m sphinx -q -W --keep-going docs build/docs

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# One stamp for each set of extras; a set is installed again when what it is made of changes.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-%: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable '.[$*]'
	touch $(VENV)/.installed $@
