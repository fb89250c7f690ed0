"""Names of weights on the page: files of the server have short keys instead of their paths."""

import os
from pathlib import Path

import gradio as gr

from core.config import BUILT_IN_WEIGHTS, Config
from playground.pipeline.networks import name_weights
from playground.runs.service import RUNS

NAME = "model.weights"
WEIGHTS = "weights.safetensors"  # the file of a run
RUN, UPLOAD = "run/", "upload/"  # with the run, or with an upload's folder and name
FOLDER_DIGITS = 16  # of the folder of an upload, which nobody can guess


def with_keys(config: Config) -> Config:
    """Returns the settings as the browser gets them: with the key of weights instead of a path."""
    key = to_key(config.model.weights)
    return config if key == config.model.weights else config.replace({NAME: key})


def with_paths(config: Config) -> Config:
    """Returns the settings as the server uses them: with the path of weights that have a key; reverses `with_keys`."""
    name = from_key(config.model.weights)
    return config if name == config.model.weights else config.replace({NAME: name})


def to_key(name: str) -> str:
    """Returns the key of weights of a run, or of uploaded ones; other names stay."""
    if not Path(name).is_absolute():
        return name
    path = Path(os.path.realpath(name))
    if path.is_relative_to(RUNS.root):
        place = path.relative_to(RUNS.root)
        return RUN + (place.parent if place.name == WEIGHTS else place).as_posix()
    if path.is_relative_to(_uploads()) and len(parts := path.relative_to(_uploads()).parts) == 2:
        return f"{UPLOAD}{parts[0][:FOLDER_DIGITS]}/{parts[1]}"
    return name


def from_key(key: str) -> str:
    """Returns the path that a key stands for, whether or not there is such a file; other names stay.

    Keys come from the browser: `playground.state.page_state.require_known_weights` refuses paths to other folders.
    """
    if key.startswith(RUN):
        path = RUNS.root / key.removeprefix(RUN)
        return str(path if path.suffix else path / WEIGHTS)
    folder, _, name = key.removeprefix(UPLOAD).partition("/")
    if not key.startswith(UPLOAD) or not folder.isalnum() or len(folder) != FOLDER_DIGITS:
        return key
    found = next(_uploads().glob(f"{folder}*/"), _uploads() / folder)
    return str(found / name)


def list_choices(config: Config) -> list[tuple[str, str]]:
    """Returns the choices of weights, each with its name for people and its key: the usual ones and the present one."""
    usual = [(name, name) for name in BUILT_IN_WEIGHTS]
    name = config.model.weights
    return usual if name in BUILT_IN_WEIGHTS else [*usual, (name_weights(name), to_key(name))]


def _uploads() -> Path:
    return Path(gr.utils.get_upload_folder()).resolve()
