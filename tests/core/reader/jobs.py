"""Tasks that tests give the reading process, in which this module is imported."""

import os
import time
from pathlib import Path
from typing import Any

from core.data.untrusted import DataError


class QuestionError(DataError):
    def __init__(self, message: str, choices: tuple[str, ...]) -> None:
        super().__init__(message)
        self.choices = choices


def answer(arguments: dict[str, Any], folder: Path, progress: Any) -> Any:
    progress(1, 2)
    progress(2, 2)
    print("a library that prints must not disturb")
    (folder / "file.txt").write_text(str(arguments["text"]))
    return {"process": os.getpid(), "names": ["é", "b"], "number": 0.1}


def refuse(arguments: dict[str, Any], folder: Path, progress: Any) -> Any:
    raise QuestionError("The file is of two kinds: choose one.", ("a", "b"))


def fail(arguments: dict[str, Any], folder: Path, progress: Any) -> Any:
    return {}["absent"]


def compute(arguments: dict[str, Any], folder: Path, progress: Any) -> Any:
    end = time.process_time() + arguments["seconds"]
    while time.process_time() < end:
        pass


def creep(arguments: dict[str, Any], folder: Path, progress: Any) -> Any:
    """Computes longer than the bound, with signs of progress."""
    for number in range(6):
        compute({"seconds": 0.2}, folder, progress)
        progress(number + 1, 6)


def hash_for_ever(arguments: dict[str, Any], folder: Path, progress: Any) -> Any:
    """Holds the interpreter's lock for good."""
    value: Any = "x"
    for _ in range(40):
        value = (value, value, value)
    return hash(value)


def fill_memory(arguments: dict[str, Any], folder: Path, progress: Any) -> Any:
    return len([b"x" * 2**20 for _ in range(2**14)])


def write_much(arguments: dict[str, Any], folder: Path, progress: Any) -> Any:
    (folder / "large").write_bytes(bytes(2**21))


def say_much(arguments: dict[str, Any], folder: Path, progress: Any) -> Any:
    return "x" * 2**21


def die(arguments: dict[str, Any], folder: Path, progress: Any) -> Any:
    os.kill(os.getpid(), 9)


def rest(arguments: dict[str, Any], folder: Path, progress: Any) -> Any:
    Path(arguments["note"]).write_text(str(os.getpid()))
    end, latest = Path(arguments.get("end", "")), time.monotonic() + arguments["seconds"]
    while time.monotonic() < latest and not end.is_file():
        time.sleep(0.05)
