# `make demo` and `make test` do all the set-up; a second run reuses what is there.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
RUN := runs/demo
# Those that need no more than the extras; supernet, npu_fit, hybrid_models, npu_and_cim and cim_against_zigzag say what
# they need.
BENCHMARKS := round_trip startup cpu_prediction estimate_throughput exact_mapping hypervolume pick_against_lstm \
	hardware_changes_architecture supernet_step

# The commands below stand as a user types them.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-all check format bench clean

help:
	@echo "make demo      the main job on built-in data, command by command (about 3 minutes after the install)"
	@echo "make test      the tests (under 10 minutes); make test-all adds the slow ones"
	@echo "make check     format, lint, types, import rule"
	@echo "make format    put the code in format"
	@echo "make bench     the figures of docs/benchmarks.md (hours)"

$(READY): pyproject.toml constraints.txt requirements-watch.txt
	$(PYTHON) -m venv $(VENV)
	pip install --quiet --require-hashes --no-deps --requirement requirements-watch.txt
	pip install --quiet --constraint constraints.txt --editable '.[all]'
	touch $(READY)

demo: $(RUN)/report.html
	edge-toolkit front $(RUN)
	@echo "The whole run is in $(RUN)/; open $(RUN)/report.html."

$(RUN)/front.json: $(READY)
	edge-toolkit search --data watch --space imu-s --device xr-npu --latency-ms 0.08 --energy-mj 0.0022 --trials 80 --out $(RUN)

$(RUN)/models/knee/architecture.json: $(RUN)/front.json
	edge-toolkit train $(RUN) --pick knee

$(RUN)/models/knee-lstm/architecture.json: $(RUN)/models/knee/architecture.json
	edge-toolkit train --baseline lstm --like $(RUN)/models/knee

$(RUN)/bundles/knee/manifest.json: $(RUN)/models/knee-lstm/architecture.json
	edge-toolkit export $(RUN)/models/knee

$(RUN)/profiles/knee.json: $(RUN)/bundles/knee/manifest.json
	edge-toolkit profile $(RUN)/bundles/knee --device CPU --baseline lstm

$(RUN)/report.html: $(RUN)/profiles/knee.json
	edge-toolkit report $(RUN)

test: $(READY)
	pytest

test-all: $(READY)
	pytest -m ''

check: $(READY)
	ruff format --check .
	ruff check .
	mypy
	pytest --quiet tests/test_imports.py

format: $(READY)
	ruff check --fix-only .
	ruff format .

bench: $(READY)
	set -e; for script in $(BENCHMARKS); do \
		threads=1; if [ $$script = pick_against_lstm ]; then threads=2; fi; \
		echo "OMP_NUM_THREADS=$$threads python benchmarks/$$script.py"; \
		OMP_NUM_THREADS=$$threads python benchmarks/$$script.py; done

clean:
	rm -rf $(VENV) runs build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
