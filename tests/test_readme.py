"""README.md and CONTRIBUTING.md are true: their code runs, and what they name exists."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmarks.crowd_proxy import CONFIGURATION
from core.cli.parser import parse
from core.experiments.presets import PRESETS
from playground.lessons.parser import lessons
from playground.server.opening import HIDEABLE
from playground.support.visitors import COOKIE

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
RUN = "python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt && .venv/bin/python {}"
COMMANDS = re.findall(r"^\.venv/bin/python -m core (.+?)(?:  +#.*| && .*)?$", README, re.MULTILINE)
# What commands write or read.
MADE = ("runs/", "albums/", "evaluations/", "drawn/", "images/", "playground/main.py")


@pytest.mark.slow
def test_the_library_finds_objects_as_the_readme_uses_it():
    (code,) = re.findall(r"^```python\n(.+?)^```", README, re.DOTALL | re.MULTILINE)
    assert len(code.splitlines()) <= 10
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = result.stdout.splitlines()
    assert lines and all(re.match(r"[a-z]+ [01]\.\d\d \[", line) for line in lines)


@pytest.mark.parametrize("program", ["app.py", "-m pytest"])
def test_the_readme_has_the_commands_word_for_word(program):
    assert f"```sh\n{RUN.format(program)}\n```" in README


def test_the_readme_has_an_example_of_every_command():
    assert {command.split()[0] for command in COMMANDS} == {
        "train", "find-lr", "compare", "anchors", "evaluate", "unpack", "split", "convert", "detect", "explain",
        "export", "differ", "rescue",
    }  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_readme_are_understood(command):
    assert parse(command.split()).command == command.split()[0]


def test_the_benchmark_of_crowds_has_the_proxy_of_the_readme():
    (proxy,) = re.findall(r"^```nginx\n(.+?)^```", README, re.DOTALL | re.MULTILINE)
    lines = [line.strip() for line in proxy.replace(COOKIE, "{cookie}").splitlines()]
    map_, upstream, *rest = (re.sub(r"([{}])", r"\1\1", line).replace("{{cookie}}", "{cookie}") for line in lines)
    assert map_ in CONFIGURATION and upstream.split(" server ")[0] in CONFIGURATION
    assert all(line in CONFIGURATION for line in rest if not line.startswith("listen"))


def test_the_readme_names_all_comparisons():
    about = README.split("- `compare` has")[1].split("Its table")[0]
    assert set(re.findall(r"`(\w+)`", about)) == set(PRESETS)


def test_the_readme_counts_the_lessons():
    assert len(lessons()) == 13 and "There are thirteen" in README
    assert sum(lesson.core for lesson in lessons().values()) == 5 and "A ★ marks the lessons" in README


def test_the_readme_names_the_controls_that_a_link_hides():
    about = README.split("steps, knobs, and ")[1].split(";")[0]
    assert re.findall(r"`([\w-]+)`", about) == list(HIDEABLE)


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "THIRD_PARTY_NOTICES.md"]
)
def test_the_files_that_documents_name_exist(name):
    text = (ROOT / name).read_text("utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    paths = re.findall(r"`([\w.]+/[\w./-]*)`", text)
    missing = [path for path in (*links, *paths) if not (ROOT / path).exists() and path not in MADE]
    assert missing == []


@pytest.mark.parametrize(
    ("names", "path"), re.findall(r"((?:`\w+`(?: and |, )?(?:[a-z ]*with )?)+) in\s+`([\w/]+\.py)`", CONTRIBUTING)
)
def test_contributing_names_what_a_module_has(names, path):
    text = (ROOT / path).read_text("utf-8")
    assert [each for each in re.findall(r"`(\w+)`", names) if not re.search(rf"\b{each}\b", text)] == []


@pytest.mark.parametrize("side", ["core", "playground"])
def test_contributing_has_the_table_of_imports(side):
    packages = tomllib.loads((ROOT / "tests/imports.toml").read_text("utf-8"))[side]
    section = CONTRIBUTING.split(f"`{side}/`, the ")[1].split("\n\n")[1]
    rows = (line.strip("| ").split(" | ") for line in section.splitlines()[2:])
    written = {name.strip("`"): set(targets.split(", ")) - {"–"} for name, _, targets in rows}
    assert written == {name: set(targets) - {"errors"} for name, targets in packages.items()}
