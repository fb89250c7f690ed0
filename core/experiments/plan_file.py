"""The file in a comparison's folder that says which settings each of its runs was started with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.config import Config
from core.io.atomic import write_text
from core.io.records import is_missing, read_object
from core.io.troubles import explain
from core.runs.folder import RunError

NAME = "comparison.json"
UNSET = "the default"


def keep_plan(folder: Path, configs: Mapping[str, Config]) -> None:
    """Adds the settings of runs to the file, so that results of other settings are not taken for theirs.

    Args:
        folder: The comparison's folder; created if it is missing.
        configs: The settings of each run, by the name of its folder.

    Raises:
        RunError: A run of that name was started with other settings, or the file cannot be read or written.
    """
    wanted = {name: json.loads(json.dumps(config.explicit_values())) for name, config in configs.items()}
    path = folder / NAME
    kept = _read(path)
    for name, settings in wanted.items():
        if not is_missing(folder / name):  # else nothing has been trained with them
            _require_same(folder / name, kept.get(name, settings), settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps({**kept, **wanted}, indent=1) + "\n")
    except OSError as error:
        raise RunError(f"The comparison in {folder} cannot be begun: {explain(error)}") from None


def _read(path: Path) -> dict[str, dict[str, Any]]:
    kept = {} if is_missing(path) else read_object(path)
    if kept is None or not all(isinstance(each, dict) for each in kept.values()):
        raise RunError(f"{path} cannot be read, so that the runs may be those of other settings: name another folder.")
    return kept


def _require_same(run: Path, own: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for path in sorted({*own, *wanted}):
        if own.get(path, UNSET) != wanted.get(path, UNSET):
            raise RunError(
                f"The run {run} was started with {path} = {own.get(path, UNSET)}, not {wanted.get(path, UNSET)}: "
                "choose another folder, or the settings that it was started with."
            )
