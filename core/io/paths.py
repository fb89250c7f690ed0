"""The project's folders, independent of the module that asks for them, and paths in messages."""

from pathlib import Path

import core

ROOT = Path(core.__file__).resolve().parent.parent  # the folder that makes `import core` work
_PACKAGED = ROOT / "core" / "assets"  # where a wheel puts the assets
ASSETS = _PACKAGED if _PACKAGED.is_dir() else ROOT / "assets"


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
