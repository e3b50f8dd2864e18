# make run     install what is locked and serve the built-in twin at http://127.0.0.1:7860
# make test    the whole test suite
# make check   ruff and mypy
# make bench   the benchmarks: a table and JSON in bench-results/
# make bench-face   the face alone: lip sync, interruptions, closures, costs
# make bench-watermark   the watermark alone: what it survives, false alarms, quality, costs, and other people's marks beside it
# make bench-libraries   what that measures with: PESQ, STOI, RNNoise
# make soak    the long counts: hours, not minutes
# make lock    renew the lock files from pyproject.toml
# make tools   what the tests of rooms need: LiveKit's server (built with Go), and its browser client (from npm)
# make voices  torch, coqui-tts and pocket-tts into .venv-voices, for cloned voices and the tests of their code

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python3.14,\
	$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check bench bench-face bench-libraries bench-watermark soak lock clean tools voices

run: .venv/run.installed
	$(BIN)/twin serve

# Calls keep real time and mostly wait: three at once take one core of two. What is marked `alone` measures pictures against
# sound, or has several browsers in a call: it has the machine to itself. Pages keep no time. Libraries that compute with a
# thread for each core would, in several processes at once, wait for each other.
PAGES := tests/behaviour/test_console.py tests/behaviour/test_console_frame.py
JOBS ?= 3
test: export OMP_NUM_THREADS := 1
test: .venv/dev.installed
	$(BIN)/python -m pytest tests/unit $(PAGES) -n $(JOBS) --dist loadfile
	$(BIN)/python -m pytest tests/behaviour $(PAGES:%=--ignore=%) -m "not alone" -n $(JOBS) --dist worksteal
	$(BIN)/python -m pytest tests/behaviour -m alone

check: .venv/dev.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/dev.installed
	$(BIN)/python -m tests.bench

bench-face: .venv/dev.installed
	$(BIN)/python -m tests.bench face

# What is missing the table names.
bench-libraries: .venv/dev.installed
	$(BIN)/pip install --quiet pesq==0.0.4 pystoi==0.4.1 scipy==1.17.1 || echo "no PESQ: it is built with a C compiler"
	$(BIN)/pip install --quiet --no-deps pyrnnoise==0.4.5 || echo "no RNNoise: there is no package for this machine"

bench-watermark: bench-libraries
	$(BIN)/python -m tests.bench watermark

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

LIVEKIT_SERVER_VERSION := v1.13.5
LIVEKIT_CLIENT_VERSION := 2.23.0
LIVEKIT_CLIENT_SHA256 := 993eafb83afb4c566bb388108ad6469bf499d76200014c96c35fe3b39fee859d
tools: .tools/livekit-server-$(LIVEKIT_SERVER_VERSION) .tools/livekit-client-$(LIVEKIT_CLIENT_VERSION).js

# The program of that package is called `server`. Releases with `replace` lines in their go.mod cannot be had like this.
.tools/livekit-server-%:
	@command -v go >/dev/null || { echo "error: LiveKit's server is built with Go 1.26 or newer; tests/README.md has other ways to it"; exit 1; }
	@mkdir -p .tools/bin
	GOBIN=$(CURDIR)/.tools CGO_ENABLED=0 go install github.com/livekit/livekit-server/cmd/server@$*
	@mv .tools/server $@
	@ln -sf ../$(@F) .tools/bin/livekit-server

.tools/livekit-client-%.js:
	@command -v npm >/dev/null || { echo "error: LiveKit's browser client comes from npm; tests/README.md has other ways to it"; exit 1; }
	@mkdir -p .tools
	@npm pack --silent --pack-destination .tools livekit-client@$* >/dev/null
	@echo "$(LIVEKIT_CLIENT_SHA256)  .tools/livekit-client-$*.tgz" | sha256sum --check --quiet
	@tar -xzOf .tools/livekit-client-$*.tgz package/dist/livekit-client.umd.js > $@.part
	@mv $@.part $@
	@ln -sf $(@F) .tools/livekit-client.umd.js

NOT_TORCH := torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti nvidia-cuda-nvrtc \
	nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand nvidia-cusolver nvidia-cusparse \
	nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx
# What the container image has besides (infra/Dockerfile).
SERVER := postgres pgvector livekit worker
lock: .venv/dev.installed
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml $(SERVER:%=--extra %) -c requirements.lock -o requirements-server.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 --group pyproject.toml:voices $(NOT_TORCH:%=--no-emit-package %) -o requirements-voices.lock
	$(BIN)/uv pip compile --quiet --universal --no-header --python-version 3.11 pyproject.toml --all-extras -c requirements.lock -o requirements-extras.lock

clean:
	rm -rf .venv .venv-voices .tools build dist bench-results *.egg-info .pytest_cache .mypy_cache .ruff_cache
