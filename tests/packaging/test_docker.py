"""The images' steps, without Docker: what is installed, that it suffices to serve, that commands exist."""

import importlib.util
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.conftest import REPOSITORY, run

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())


def requirements() -> Any:
    """docker/requirements.py as a module."""
    spec = importlib.util.spec_from_file_location("requirements", REPOSITORY / "docker/requirements.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_service_gets_neither_tensorflow_nor_prefect_nor_dvc() -> None:
    module = requirements()
    found = set(module.needed(module.entries((REPOSITORY / "requirements.lock").read_text())))
    assert {"rdkit", "fastapi", "starlette", "uvicorn", "numba", "pydantic-core"} <= found
    assert not found & {"tensorflow", "keras", "prefect", "dvc", "scikit-learn", "pandera", "onnx", "pytest"}
    assert len(found) < 70


def test_each_service_has_an_image_and_none_is_open_to_all() -> None:
    targets = set(re.findall(r"AS (\w+)", DOCKERFILE))
    for about in COMPOSE["services"].values():
        assert about["build"]["target"] in targets
        assert all(port.startswith("127.0.0.1:") for port in about.get("ports", []))


def test_images_do_not_run_as_root() -> None:
    for target in ("worker", "serve"):
        stage = DOCKERFILE.split(f"AS {target}")[1].split("\nFROM ")[0]
        assert "USER manywalks" in stage


@pytest.mark.parametrize(
    "words",
    [
        "manywalks serve",
        "prefect server start",
        "prefect worker start",
        "prefect work-pool create",
        "prefect deploy",
    ],
)
def test_the_commands_have_the_options_that_are_given(words: str) -> None:
    lines = [*re.findall(r"^(?:CMD|ENTRYPOINT) (\[.*\])", DOCKERFILE, re.MULTILINE)]
    texts = [" ".join(yaml.safe_load(line)) for line in lines]
    texts += [" ".join(about["command"]) for about in COMPOSE["services"].values()]
    used = [
        part for text in texts for part in text.replace("--no-prompt ", "").split(" && ") if words in part
    ]
    assert used
    shown = run([str(Path(sys.executable).with_name(words.split()[0])), *words.split()[1:], "--help"]).stdout
    for option in re.findall(r"--[a-z-]+", " ".join(used)):
        assert option in shown, option


@pytest.mark.long
def test_the_steps_of_the_image_make_an_environment_that_serves(trained: Path, tmp_path: Path) -> None:
    (step,) = re.findall(r"RUN (python -m venv .*?serve\.lock.*?)\n\n", DOCKERFILE, re.DOTALL)
    for name in ("requirements.lock", "pyproject.toml", "README.md", "docker", "src", "tasks", "flows"):
        subprocess.run(["cp", "-a", str(REPOSITORY / name), str(tmp_path)], check=True)
    step = step.replace("/venv", str(tmp_path / "venv")).replace(
        "python -m venv", f"{sys.executable} -m venv", 1
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(["sh", "-ec", step], cwd=tmp_path, text=True, capture_output=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    program = tmp_path / "venv/bin/manywalks"
    process = subprocess.Popen(
        [program, "serve", "--host", "0.0.0.0", "--port", "0", f"demo={trained}"],
        cwd="/", stdout=subprocess.PIPE, text=True,
        env=environment | {"NUMBA_CACHE_DIR": str(tmp_path / "numba")},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        start = time.monotonic()
        while not (line := process.stdout.readline()).startswith("http"):
            assert line and time.monotonic() - start < 300
        url = line.strip().replace("0.0.0.0", "127.0.0.1")
        answer = httpx.post(f"{url}/v1/models/demo/predict", json=["CCO"], timeout=60)
        assert answer.json()["predictions"][0]["endpoints"]["logS"]["mean"] is not None
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
