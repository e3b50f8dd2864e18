# make run     install what is locked and serve the built-in twin at http://127.0.0.1:7860
# make test    the whole test suite
# make check   ruff and mypy
# make bench   the benchmarks: a table and JSON in bench-results/
# make bench-face   the face alone: lip sync, interruptions, closures, costs
# make soak    the long counts: hours, not minutes
# make lock    renew the lock files from pyproject.toml
# make voices  torch, coqui-tts and pocket-tts into .venv-voices, for cloned voices and the tests of their code

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python3.14,\
	$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check bench bench-face soak lock clean voices

run: .venv/run.installed
	$(BIN)/twin serve

# Calls keep real time, some with two browsers, so their tests have the machine to themselves. Pages do not.
PAGES := tests/behaviour/test_console.py tests/behaviour/test_console_frame.py
test: .venv/dev.installed
	$(BIN)/python -m pytest tests/unit $(PAGES) -n 2 --dist loadfile
	$(BIN)/python -m pytest tests/behaviour $(PAGES:%=--ignore=%)

check: .venv/dev.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/dev.installed
	$(BIN)/python -m tests.bench

bench-face: .venv/dev.installed
	$(BIN)/python -m tests.bench face

soak: .venv/dev.installed
	$(BIN)/python -m tests.soak

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 or newer is needed; install it, or name it: make run PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "error: this Python cannot make virtual environments (on Debian: apt install python3-venv)"; exit 1; }

.venv/run.installed: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.installed: requirements-dev.lock pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ .venv/run.installed

voices: .venv-voices/installed

# torch comes first and by itself: its build (CUDA, or a CPU one where that is what is found) is this machine's affair.
.venv-voices/installed: requirements-voices.lock
	@$(PYTHON) -m venv .venv-voices
	.venv-voices/bin/pip install --quiet torch==2.13.0
	.venv-voices/bin/pip install --quiet --no-deps --require-hashes -r requirements-voices.lock
	@touch $@

NOT_TORCH := torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti nvidia-cuda-nvrtc \
	nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand nvidia-cusolver nvidia-cusparse \
	nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx
lock: .venv/dev.installed
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 --group pyproject.toml:voices $(NOT_TORCH:%=--no-emit-package %) -o requirements-voices.lock
	$(BIN)/uv pip compile --quiet --universal --no-header --python-version 3.11 pyproject.toml --all-extras -c requirements.lock -o requirements-extras.lock

clean:
	rm -rf .venv .venv-voices build dist bench-results *.egg-info .pytest_cache .mypy_cache .ruff_cache
