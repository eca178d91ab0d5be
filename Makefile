# make demo and make test need nothing but Python 3.10 to 3.13: they create .venv and install what they use.

PYTHON ?= python3
PYTHON_OLDEST ?= python3.10
PYTHON_TF1 ?= python3.7
PYTHON_ESTIMATOR ?= python3.11
# More than there are cores where these are two: a test that saves a checkpoint waits for the disk.
WORKERS ?= 3
# Tests of one file stay together, since they share what is traced and compiled; who is done takes from others.
PARALLEL := -n $(WORKERS) --dist worksteal
# What the default suite has a sample of; slow by their number, and not by processes that are killed.
SLOW_IN_PROCESS := tests/contrib tests/estimator tests/learn tests/tf_layers
DEMO_DIR ?= build/demo
# A file system in memory, if there is a large one: a fifth of the time of the tests is saving checkpoints.
TMPDIR_TESTS ?= $(shell [ "$$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 4000000 ] 2>/dev/null && echo /dev/shm || echo $(or $(TMPDIR),/tmp))
# Outside the repository, so that Python does not find the package there.
RELEASE ?= $(or $(TMPDIR),/tmp)/keras_legacy_train-release

VENV := .venv/bin
VENV_OLDEST := .venv-oldest/bin
VENV_TF1 := .venv-tf1/bin

export TF_CPP_MIN_LOG_LEVEL ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo test test-slow test-oldest test-tf1 coverage lint types docs release-check benchmark clean

help:
	@echo "make demo         train on handwritten digits, stop half-way, resume, evaluate"
	@echo "make test         the test suite"
	@echo "make test-slow    the tests that take minutes"
	@echo "make test-oldest  the test suite on the oldest supported versions (PYTHON_OLDEST=$(PYTHON_OLDEST))"
	@echo "make test-tf1     the exchange of checkpoints with TensorFlow 1.15.5 (PYTHON_TF1=$(PYTHON_TF1))"
	@echo "make coverage     the tests, and which lines and branches they run; a page for each module in build/coverage/html"
	@echo "make lint         ruff"
	@echo "make types        mypy"
	@echo "make docs         the documentation as a site in build/site"
	@echo "make release-check  builds a release, and runs an example with it in an environment of its own"
	@echo "make benchmark    time, memory and start against all peers; takes hours"
	@echo "make clean        remove the virtual environments and everything built"

install: .venv/installed

.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -c "import sys; assert (3, 10) <= sys.version_info < (3, 14), 'Python 3.10 to 3.13 is needed: make PYTHON=...'"
	$(PYTHON) -m venv .venv
	$(VENV)/python -m pip install --quiet --editable '.[dev]'
	touch $@

.venv-oldest/installed: setup.cfg pyproject.toml
	$(PYTHON_OLDEST) -m venv .venv-oldest
	$(VENV_OLDEST)/python -m pip install --quiet --editable '.[dev]' \
		'tensorflow==2.18.*' 'keras==3.5.*' 'rich==13.*' 'numpy==1.26.*'
	touch $@

.venv-tf1/installed:
	$(PYTHON_TF1) -m venv .venv-tf1
	$(VENV_TF1)/python -m pip install --quiet 'tensorflow==1.15.5' 'protobuf<3.21' 'numpy<1.19'
	touch $@

# tf.estimator, which only the benchmarks use, was in TensorFlow up to 2.15.
.venv-estimator/installed:
	$(PYTHON_ESTIMATOR) -m venv .venv-estimator
	.venv-estimator/bin/python -m pip install --quiet 'tensorflow==2.15.1'
	touch $@

demo: .venv/installed
	rm -rf $(DEMO_DIR)
	@echo "--- Training up to step 4000, then stopping on purpose."
	$(VENV)/python examples/digits.py --output-dir $(DEMO_DIR) --steps 4000 --at-least 0
	@echo "--- Starting again in the same directory: it goes on from the checkpoint."
	$(VENV)/python examples/digits.py --output-dir $(DEMO_DIR) --steps 8000 --at-least 0.95

test: .venv/installed
	TMPDIR=$(TMPDIR_TESTS) $(VENV)/python -m pytest $(PARALLEL)

test-slow: .venv/installed
	TMPDIR=$(TMPDIR_TESTS) $(VENV)/python -m pytest -m slow

test-oldest: .venv-oldest/installed
	TMPDIR=$(TMPDIR_TESTS) $(VENV_OLDEST)/python -m pytest $(PARALLEL)

test-tf1: .venv/installed .venv-tf1/installed .venv-estimator/installed
	KLT_TF1_PYTHON=$(abspath $(VENV_TF1)/python) KLT_ESTIMATOR_PYTHON=$(abspath .venv-estimator/bin/python) \
		TMPDIR=$(TMPDIR_TESTS) $(VENV)/python -m pytest -m tf1

coverage: .venv/installed
	mkdir -p build/coverage
	$(VENV)/coverage erase
	TMPDIR=$(TMPDIR_TESTS) $(VENV)/coverage run -m pytest $(PARALLEL)
	TMPDIR=$(TMPDIR_TESTS) $(VENV)/coverage run -m pytest $(PARALLEL) -m slow $(SLOW_IN_PROCESS)
	$(VENV)/coverage combine --quiet
	$(VENV)/coverage html --quiet
	$(VENV)/coverage report

lint: .venv/installed
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .

types: .venv/installed
	$(VENV)/mypy

docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 $(VENV)/mkdocs build --strict

release-check: .venv/installed
	rm -rf $(RELEASE)
	$(VENV)/python -m pip install --quiet --editable '.[release]'
	$(VENV)/python -m build --outdir $(RELEASE)/dist
	$(VENV)/twine check --strict $(RELEASE)/dist/*
	$(PYTHON) -m venv $(RELEASE)/venv
	$(RELEASE)/venv/bin/python -m pip install --quiet "$$(echo $(RELEASE)/dist/*.whl)[examples]"
	cp examples/digits.py $(RELEASE)
	cd $(RELEASE) && venv/bin/python -I digits.py --output-dir run --steps 1000 --at-least 0.8

benchmark: .venv/installed
	$(VENV)/python -m pip install --quiet --editable '.[benchmarks]'
	$(VENV)/python benchmarks/run.py --picture
	$(VENV)/python benchmarks/costs.py

clean:
	rm -rf .venv .venv-oldest .venv-tf1 .venv-estimator build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
