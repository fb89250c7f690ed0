"""What is not imported: modules that take seconds and memory, where they are not used."""

import subprocess
import sys

import pytest

from core.reader import LIGHT, TASKS

HEAVY = ("torch", "torchvision", "scipy", "accelerate", "gradio", "pandas", "faster_coco_eval", "onnx", "matplotlib")
COMPILER = "torch._dynamo"


def find_imported(code: str, names: tuple[str, ...]) -> list[str]:
    """Returns which of the modules a fresh process has imported after some code."""
    program = f"{code}\nimport sys\nprint(*(name for name in {names} if name in sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=600)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()[-1].split()


def test_the_list_of_commands_needs_no_declarations() -> None:
    code = "import core.cli.main\ntry:\n    core.cli.main.main(['--help'])\nexcept SystemExit:\n    pass"
    assert not find_imported(code, (*HEAVY, "numpy", "psutil", "pydantic", "portalocker", "importlib.resources"))


@pytest.mark.slow
def test_help_and_the_reading_process_import_nothing_heavy() -> None:
    modules = ", ".join(sorted({TASKS[task].function.split(":")[0] for task in LIGHT}))
    assert not find_imported("import core.cli.running, core.cli.arguments", (*HEAVY, "numpy", "psutil"))
    assert not find_imported(f"import core.reader.child, {modules}", HEAVY)


@pytest.mark.slow
def test_a_picture_is_decoded_without_pytorch() -> None:
    code = (
        "from io import BytesIO\nfrom PIL import Image\nfrom core.io.decoding import decode_pixels\n"
        "file = BytesIO()\nImage.new('RGB', (3, 2), (1, 2, 3)).save(file, 'png')\nfile.seek(0)\n"
        "assert decode_pixels(file)[:, 1, 2].tolist() == [1, 2, 3]"
    )
    assert not find_imported(code, HEAVY)


@pytest.mark.slow
def test_the_page_imports_no_compiler_and_nothing_that_few_use() -> None:
    unwanted = (COMPILER, "sympy", "scipy", "accelerate", "faster_coco_eval", "onnx", "matplotlib", "core.runs.train")
    assert not find_imported("import playground.page", unwanted)


@pytest.mark.slow
def test_no_step_of_the_page_needs_the_compiler() -> None:
    code = (
        "from playground.server.render import render\nfrom playground.state.page_state import PageState\n"
        "from playground.steps import STEPS\nfor step in STEPS: assert render(PageState(step)).canvas"
    )
    assert not find_imported(code, (COMPILER,))


@pytest.mark.slow
def test_commands_import_what_they_need() -> None:
    check = "from core.cli.commands import find_command\nfind_command('check')"
    assert not find_imported(check, (COMPILER, *HEAVY[2:]))
    detect = (
        "from tempfile import TemporaryDirectory\nfrom PIL import Image\nfrom core.cli.main import main\n"
        "with TemporaryDirectory() as folder:\n"
        "    Image.new('RGB', (64, 64)).save(f'{folder}/picture.png')\n"
        "    assert main(['detect', f'{folder}/picture.png', '--inference.image_size', '64']) == 0"
    )
    assert not find_imported(detect, (COMPILER, *HEAVY[2:]))


@pytest.mark.slow
def test_a_process_that_waits_for_a_run_has_imported_what_the_first_step_needs() -> None:
    code = (
        "from pathlib import Path\nfrom tempfile import TemporaryDirectory\nfrom core.scheduler import daemon, server\n"
        "server.Server.wait = lambda self: None\n"
        "with TemporaryDirectory() as folder: daemon.main(Path(folder))"
    )
    assert find_imported(code, (COMPILER, "accelerate")) == [COMPILER, "accelerate"]


@pytest.mark.slow
def test_the_compiler_is_imported_when_torchvision_calls_it() -> None:
    code = (
        "import core, torchvision\nfrom torchvision.ops import roi_align\nimport sys\n"
        f"assert {COMPILER!r} not in sys.modules\n"
        "assert roi_align.__globals__['is_compile_supported']('cpu') in (True, False)"
    )
    assert find_imported(code, (COMPILER,)) == [COMPILER]
