# Everything sets itself up: `make demo` and `make test` work on a bare Debian machine as root.
SHELL := /bin/bash
PYTHON := .venv/bin/python

# uv and pip trust the system's certificates where the machine has a bundle.
SSL_CERT_FILE ?= $(wildcard /etc/ssl/certs/ca-certificates.crt)
ifneq ($(SSL_CERT_FILE),)
export SSL_CERT_FILE
else
unexport SSL_CERT_FILE
endif

LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --upgrade

.DEFAULT_GOAL := help
.PHONY: help setup engine demo lint test bench lock container-init clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv from the hashed requirements (again only when they change)
	@bash .ci/setup

engine: ## Have a Docker engine answer (the tests use it and runc)
	@bash .ci/engine-up docker

demo: setup ## Run the whole job on a real scan, on Docker where it answers, else on runc
	@bash .ci/engine-up any
	@bash .ci/print-tools
	@bash .ci/demo

lint: setup ## Check format, style, types, imports, dependencies, dead code and spelling
	@bash .ci/lint

test: ## Run everything CI runs, on a real engine
	@bash .ci/run

bench: setup engine ## Measure what Assay costs beside plain tools; BENCH="--only case" for a part
	@.venv/bin/python -m tests.bench $(BENCH)

lock: setup ## Compile the hashed requirement files anew from pyproject.toml
	$(LOCK) pyproject.toml --output-file host/requirements/runtime.txt
	$(LOCK) pyproject.toml --extra dev --output-file host/requirements/dev.txt

# After a change of init.s; needs GNU binutils on x86-64. A test compares the two.
container-init:
	@mkdir -p build
	as -o build/init.o host/engines/container_init/init.s
	objcopy -O binary -j .text build/init.o build/init
	od -An -v -tx1 -w40 build/init | tr -d ' ' > host/engines/container_init/init.hex

clean: ## Remove the environment and caches (never ASSAY_HOME)
	rm -rf .venv build dist *.egg-info plugin_spec/build plugin_spec/*.egg-info
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
