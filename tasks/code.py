"""Which source files a module runs: its imports within the package, followed to the end."""

import ast
from functools import cache
from pathlib import Path

PACKAGE = "manywalks"
FOLDER = Path(__file__).resolve().parent.parent


def module_path(module: str) -> Path | None:
    """The source file of `manywalks.tasks.x`, or None where that names no module of the package."""
    parts = module.split(".")
    if parts[0] != PACKAGE or len(parts) < 2:
        return None
    base = FOLDER.joinpath(*parts[1:])
    if (base / "__init__.py").is_file():
        return base / "__init__.py"
    return base.with_suffix(".py") if base.with_suffix(".py").is_file() else None


@cache
def _imports(path: Path) -> frozenset[str]:
    """Modules of the package that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import name` may name a module or something inside one
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            # import_module(f"manywalks.tasks.engine_{name}"): any of them may run
            found.update(_starting_with(str(node.values[0].value)))
    return frozenset(name for name in found if module_path(name))


def _starting_with(prefix: str) -> list[str]:
    """Modules of the package whose dotted name begins with `prefix`."""
    parts = prefix.split(".")
    if parts[0] != PACKAGE or len(parts) < 3:
        return []
    folder = FOLDER.joinpath(*parts[1:-1])
    return [".".join([*parts[:-1], path.stem]) for path in folder.glob(f"{parts[-1]}*.py")]


def source_files(module: str) -> tuple[str, ...]:
    """Files that `module` and what it imports are made of, relative to the package's folder, sorted.

    Empty `__init__` files are left out: they hold a docstring and nothing that runs.
    """
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = module_path(name)
        if name in seen or path is None:
            continue
        seen.add(name)
        waiting.extend(_imports(path))
    paths = {path for name in seen if (path := module_path(name)) and path.name != "__init__.py"}
    return tuple(sorted(path.relative_to(FOLDER).as_posix() for path in paths))


def training_code() -> tuple[str, ...]:
    """Source files that decide what a walk predicts.

    The models of params.yaml do not, nor the units that they check: the values count, and the prepared data.
    """
    used = source_files(f"{PACKAGE}.tasks.problem")
    return tuple(name for name in used if not name.startswith(("tasks/params", "tasks/units")))
