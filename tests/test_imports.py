"""Imports go one way: between packages only as tests/imports.toml allows, and never in a circle."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
TABLE: dict[str, dict[str, list[str]]] = tomllib.loads((ROOT / "tests/imports.toml").read_text("utf-8"))
ALLOWED = {
    f"{side}.{name}": {f"{side}.{each}" for each in targets}
    for side, packages in TABLE.items()
    for name, targets in packages.items()
}
CORE = {"core", *(package for package in ALLOWED if package.startswith("core."))}
MAX_MODULES = 14
PAGE_ONLY = {"gradio", "plotly", "playground", "app"}


class Import(NamedTuple):
    """A module that imports another."""

    importer: str
    imported: str


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for side in TABLE for path in sorted((ROOT / side).rglob("*.py"))}


def imported(node: ast.AST, importer: str, path: Path) -> Iterator[str]:
    """Yields the absolute names that an import statement imports; `from a import b` imports a.b where that is one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = importer.split(".") if path.name == "__init__.py" else importer.split(".")[:-1]
        base = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
        for alias in node.names:
            full = f"{module}.{alias.name}"
            yield full if full in MODULES else module


def imports(name: str) -> set[str]:
    """Returns all that a module imports, inside functions too."""
    path = MODULES[name]
    return {each for node in ast.walk(ast.parse(path.read_text("utf-8"))) for each in imported(node, name, path)}


@cache
def all_imports() -> list[Import]:
    """Returns the imports of all modules, which are parsed once, by the first test that asks."""
    return [Import(name, each) for name in MODULES for each in sorted(imports(name))]


def own_imports() -> list[Import]:
    """Returns the imports of modules of this project."""
    return [each for each in all_imports() if each.imported in MODULES]


def package_of(module: str) -> str:
    """Returns the package: the first two parts of a module's name."""
    return ".".join(module.split(".")[:2])


def test_every_package_is_in_the_table():
    packages = {package_of(name) for name in MODULES} - set(TABLE) - {"core.__main__", "playground.__main__"}
    assert packages == set(ALLOWED)


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_the_table_allows(package):
    side = package.split(".")[0]
    allowed = ALLOWED[package] | {package, side} | (CORE if side == "playground" else set())
    wrong = [
        each
        for each in own_imports()
        if package_of(each.importer) == package and package_of(each.imported) not in allowed
    ]
    assert not wrong


def test_packages_do_not_import_each_other_in_a_circle():
    list(TopologicalSorter(ALLOWED).static_order())


def test_no_modules_import_each_other_in_a_circle():
    # A package's __init__ only offers names of its modules.
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for each in own_imports():
        if MODULES[each.importer].name != "__init__.py" and each.importer != each.imported:
            graph[each.importer].add(each.imported)
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_no_package_is_too_large():
    folders = {path.parent for path in MODULES.values()}
    sizes = {str(folder.relative_to(ROOT)): len([*folder.glob("*.py")]) - 1 for folder in folders}
    assert {folder: size for folder, size in sizes.items() if size > MAX_MODULES} == {}


def test_the_core_knows_no_page():
    of_core = (each for each in all_imports() if package_of(each.importer) in CORE)
    assert [each for each in of_core if each.imported.split(".")[0] in PAGE_ONLY] == []


def test_the_page_knows_no_app():
    assert [each for each in all_imports() if each.imported.split(".")[0] == "app"] == []


def test_only_plot_knows_plotly():
    users = {each.importer for each in all_imports() if each.imported.split(".")[0] == "plotly"}
    assert users == {"playground.components.plot"}
