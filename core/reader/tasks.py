"""The tasks of a reading process, each with the function that does it.

The functions are named as text: the process imports the module of a task when it is asked for it, and nothing else. A
function gets the arguments, an empty folder for files, and a function that tells the number of things done and in
total; it returns values for JSON.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

Progress = Callable[[int, int], None]
Function = Callable[[dict[str, Any], Path, Progress], Any]


class Task(NamedTuple):
    """A task.

    Attributes:
        function: Its module and function.
        is_long: Whether honest files can take minutes, so that others must not wait for it.
        is_heavy: Whether it imports PyTorch, which takes seconds, and memory at rest: the page's processes do not do so
            in advance, and one that has done so is replaced after the task.
    """

    function: str
    is_long: bool = False
    is_heavy: bool = False


TASKS = {
    "archive": Task("core.data.zips.importing:unpack_for_parent", is_long=True),
    "check": Task("core.analysis.dataset_check:check_for_parent", is_long=True, is_heavy=True),
    "data set": Task("core.data.folders:read_for_parent"),
    "format": Task("core.data.folders:require_format_for_parent"),
    "picture": Task("core.data.images:open_for_parent"),
    "picture sizes": Task("core.data.images:read_sizes_for_parent"),
    "weights": Task("core.weights.files:read_for_parent", is_heavy=True),
}
LIGHT = tuple(name for name, task in TASKS.items() if not task.is_heavy)
