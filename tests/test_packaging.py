"""The package: its dependencies have one source, its names load lazily, and a wheel starts."""

import ast
import importlib
import os
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
PINNED = {
    "requirements.txt": [PROJECT["dependencies"], EXTRAS["page"], EXTRAS["export"], EXTRAS["dev"]],
    "requirements-sweep.txt": [EXTRAS["sweep"]],
    "requirements-photographs.txt": [EXTRAS["photographs"]],
    "requirements-trackers.txt": [EXTRAS["trackers"]],
}
IMPORTED_AS = {"faster-coco-eval": "faster_coco_eval", "lazy-loader": "lazy_loader", "pillow": "PIL", "pyyaml": "yaml"}
PART_OF = {"pydantic_core": "pydantic"}
STUBS = sorted((ROOT / "core").rglob("__init__.pyi"))
PACKAGES = sorted(path for side in ("core", "playground") for path in (ROOT / side).rglob("__init__.py"))
LIGHT = ("core", "core.cli.parser", "core.config", "core.experiments.presets", "core.scheduler.daemon")


def ranges(groups: list[list[str]]) -> dict[str, Requirement]:
    return {canonicalize_name(each.name): each for each in map(Requirement, chain.from_iterable(groups))}


def pins(file: str) -> dict[str, str]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / file).read_text("utf-8").splitlines())
    required = [Requirement(line) for line in lines if line]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in required}


@pytest.mark.parametrize("file", PINNED)
def test_requirements_pin_the_dependencies_of_the_project(file):
    required, pinned = ranges(PINNED[file]), pins(file)
    assert pinned.keys() == required.keys()
    assert [name for name, pin in pinned.items() if not required[name].specifier.contains(pin)] == []


def test_the_page_on_hugging_face_has_the_pinned_gradio():
    front_matter = (ROOT / "README.md").read_text("utf-8").split("---")[1]
    assert f"sdk_version: {pins('requirements.txt')['gradio']}\n" in front_matter


def imported_packages(folder: str) -> set[str]:
    """Returns the top-level names of all packages that the modules of a folder import and that Python lacks."""
    names: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return {PART_OF.get(name, name) for name in names - sys.stdlib_module_names - {"core", "playground"}}


def modules_of(*groups: list[str]) -> set[str]:
    return {IMPORTED_AS.get(name, name) for name in ranges(list(groups))}


@pytest.mark.slow
def test_core_alone_installs_what_it_imports_and_no_more():
    imported = imported_packages("core") - {"lazy_loader"}
    optional = modules_of(EXTRAS["export"], EXTRAS["sweep"])
    assert imported - optional == modules_of(PROJECT["dependencies"]) - {"lazy_loader"}
    assert imported & optional == optional


@pytest.mark.slow
def test_the_page_installs_what_it_imports():
    page = modules_of(EXTRAS["page"])
    imported = imported_packages("playground")
    assert imported - modules_of(PROJECT["dependencies"]) <= page


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: stub.parent.relative_to(ROOT).as_posix())
def test_every_name_a_package_offers_resolves_and_is_documented(stub):
    name = ".".join(stub.parent.relative_to(ROOT).parts)
    package = importlib.import_module(name)
    assert package.__all__
    for offered in package.__all__:
        value = getattr(package, offered)
        assert find_spec(f"{name}.{offered}") is None, f"{offered} is a module of {name}, too"
        assert not callable(value) or value.__doc__, f"{name}.{offered} has no docstring"


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: stub.parent.relative_to(ROOT).as_posix())
def test_a_package_offers_only_names_of_its_own_modules(stub):
    nodes = ast.parse(stub.read_text("utf-8")).body
    assert all(isinstance(node, ast.ImportFrom) and node.level == 1 and node.module for node in nodes)


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: path.parent.relative_to(ROOT).as_posix())
def test_every_package_names_its_modules_in_reading_order(path):
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    assert "Reading order:" in docstring
    mentioned = set(re.findall(r"`([a-z_0-9]+)`", docstring.split("Reading order:")[1]))
    modules = {each.stem for each in path.parent.glob("*.py")} - {"__init__", "__main__"}
    packages = {each.parent.name for each in path.parent.glob("*/__init__.py")}
    assert modules | packages <= mentioned


@pytest.mark.slow
@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_do_not_import_pytorch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("script", PROJECT["scripts"])
def test_commands_point_at_functions(script):
    module, function = PROJECT["scripts"][script].split(":")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Builds the wheel and installs it alone; returns the folder of its commands."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv/bin/python"
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)], check=True)
    site = subprocess.check_output([python, "-c", "import site; print(site.getsitepackages()[0])"], text=True).strip()
    dependencies = [path for path in sys.path if path.endswith("site-packages")]
    Path(site, "dependencies.pth").write_text("\n".join(dependencies) + "\n", "utf-8")
    return python.parent


def output_of(folder: Path, *command: str) -> str:
    """Returns what a command prints that runs outside of the project."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [folder / command[0], *command[1:]], cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.slow
def test_a_wheel_has_the_command_line(installed):
    assert output_of(installed, "retinanet", "--help").startswith("usage: retinanet ")


@pytest.mark.slow
def test_a_wheel_has_the_page_and_the_built_in_weights(installed):
    assert "usage: retinanet-playground" in output_of(installed, "retinanet-playground", "--help")
    code = "import core, playground; from playground.page import build_page; build_page(); "
    code += "print(playground.__file__, core.__file__, len(core.load_weights('builtin').state))"
    *paths, count = output_of(installed, "python", "-c", code).split()
    assert len(paths) == 2 and all(path.startswith(str(installed.parent)) for path in paths) and int(count) > 100


@pytest.mark.slow
def test_a_wheel_has_every_file_of_the_packages(installed):
    site = next(installed.parent.glob("lib/python*/site-packages"))
    tracked = subprocess.check_output(["git", "ls-files", "core", "playground", "assets"], cwd=ROOT, text=True)
    expected = {re.sub("^assets/", "core/assets/", line) for line in tracked.splitlines()}
    assert sorted(each for each in expected if not (site / each).is_file()) == []
