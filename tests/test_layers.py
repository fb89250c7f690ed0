"""Imports go one way: app → playground → core; the core knows neither page nor plots."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE_ONLY = {"gradio", "plotly", "playground", "app"}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "core").rglob("*.py")), ids=lambda path: path.name)
def test_the_core_knows_no_page(path):
    assert not imports(path) & PAGE_ONLY


@pytest.mark.parametrize("path", sorted((ROOT / "playground").rglob("*.py")), ids=lambda path: path.name)
def test_the_page_knows_no_app(path):
    assert "app" not in imports(path)


def test_only_plot_knows_plotly():
    users = {path.name for path in (ROOT / "playground").rglob("*.py") if "plotly" in imports(path)}
    assert users == {"plot.py"}
