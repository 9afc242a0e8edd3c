"""Imports point one way, and one place each knows Prefect and DVC."""

import ast
from collections import Counter

import pytest

from tests.support.imports import imports_of, modules

# each may import what stands before it; what shares a line may not import each other but where ALSO says so
ORDER = [
    ("units", "files", "formatting", "similarity"),
    ("params",),
    ("workspace",),
    ("runtime",),
    ("chemistry",),
    ("tables",),
    ("data",),
    ("split", "features"),
    ("graph_layout",),
    ("featurize",),
    ("train",),
    ("replicates",),
    ("ensemble",),
    ("evaluate",),
    ("report",),
    ("pipeline",),
    ("record",),
    ("predict", "compare", "reproduce", "refresh", "benchmark"),
    ("tune",),
    ("serve", "export"),
    ("tasks",),
    ("flows",),
    ("cli",),
]
MOST_MODULES = 12
LAYER = {name: number for number, names in enumerate(ORDER) for name in names}


def package_of(module: str) -> str:
    """`manywalks.train.scaling` -> `train`; "" for the package itself."""
    return module.split(".")[1] if "." in module else ""


def knowing(library: str) -> set[str]:
    """Modules that import `library`."""
    found = set()
    for module, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if any(name.split(".")[0] == library for name in names):
                found.add(module)
    return found


@pytest.mark.parametrize("module", sorted(set(modules()) - {"manywalks"}))
def test_imports_point_one_way(module: str) -> None:
    own = package_of(module)
    for other in imports_of(module) - {"manywalks"}:
        there = package_of(other)
        assert there == own or LAYER[there] < LAYER[own], f"{module} imports {other}"


def test_every_package_has_its_place() -> None:
    assert {package_of(module) for module in modules()} - {""} == set(LAYER)


def test_a_folder_holds_few_modules() -> None:
    """Twelve at most, so that a reader takes a folder in at a glance."""
    folders = Counter(path.parent for path in modules().values() if path.name != "__init__.py")
    assert {str(folder): count for folder, count in folders.items() if count > MOST_MODULES} == {}


def test_the_pipeline_and_the_flows_alone_know_prefect() -> None:
    assert {package_of(module) for module in knowing("prefect")} == {"pipeline", "flows"}


def test_one_file_knows_dvc() -> None:
    assert knowing("dvc") == {"manywalks.pipeline.versions"}


SLOW = {"scipy.stats", "scipy.optimize", "sklearn", "statsmodels", "tensorflow", "keras", "jax", "torch"}


def test_what_takes_long_to_import_is_imported_where_it_is_used() -> None:
    """Half a second and more: every command and every step would begin with it."""
    slow = {
        (module, name)
        for module, path in modules().items()
        for name in imported_at_once(ast.parse(path.read_text(encoding="utf-8")))
        if any(f"{name}.".startswith(f"{one}.") for one in SLOW)
    }
    assert slow == set()


def imported_at_once(tree: ast.Module) -> set[str]:
    """What the module's own lines import, those in functions and for types aside."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update((node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))
    return found
