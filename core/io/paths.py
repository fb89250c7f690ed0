"""The project's folders, independent of the module that asks for them, names of files, and paths in messages."""

from pathlib import Path
from typing import TypeGuard

import core

ROOT = Path(core.__file__).resolve().parent.parent  # the folder that makes `import core` work
_PACKAGED = ROOT / "core" / "assets"  # where a wheel puts the assets
ASSETS = _PACKAGED if _PACKAGED.is_dir() else ROOT / "assets"
MAX_NAME, MAX_PATH = 255, 1024  # bytes of a file's name, and of a path, that every usual file system allows


def is_file_name(text: object) -> TypeGuard[str]:
    """Returns True for text that can be the name of one file or folder, and of none that is hidden.

    Untrusted names are checked before they become paths: the functions of paths raise several errors for the others.
    """
    return isinstance(text, str) and text[:1] not in ("", ".") and not set(text) & set("/\\") and is_path(text)


def is_path(text: str) -> bool:
    """Returns True for text that can be the path of a file, whether there is one or not."""
    if not text.isprintable():  # neither are NUL, and what no encoding accepts
        return False
    return len(text.encode()) <= MAX_PATH and all(len(part.encode()) <= MAX_NAME for part in text.split("/"))


def hide_folder(message: str, folder: str | Path, name: str) -> str:
    """Returns a message without the path of a folder, which people elsewhere need not know.

    Args:
        message: The message.
        folder: The folder; paths in it become relative to it.
        name: What stands for the folder itself.
    """
    if Path(folder) == Path():  # paths in it are relative already
        return message
    return message.replace(f"{folder}/", "").replace(str(folder), name)
