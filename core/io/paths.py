"""The project's folders, independent of the module that asks for them, names of files, and paths in messages."""

import os
import re
import sys
import unicodedata
from pathlib import Path, PurePosixPath
from typing import TypeGuard

import core

ROOT = Path(core.__file__).resolve().parent.parent  # the folder that makes `import core` work
_PACKAGED = ROOT / "core" / "assets"  # where a wheel puts the assets
ASSETS = _PACKAGED if _PACKAGED.is_dir() else ROOT / "assets"
MAX_NAME, MAX_PATH = 255, 1024  # bytes of a file's name, and of a path, that every usual file system allows
MAX_SUFFIX = 20  # bytes; a longer one is part of the name
ALLOWS_ANY_NAME = sys.platform != "win32"
MAX_WINDOWS_PATH = 259  # characters of an absolute path, unless long paths are enabled
_FORBIDDEN = re.compile(r'[<>:"|?*\\/\x00-\x1f\x7f]')  # in names on Windows, and control characters everywhere
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)", re.IGNORECASE)  # its devices


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


def is_portable(name: str) -> bool:
    """Returns True for the name of a file or folder that every system allows and keeps as it is."""
    if not name or len(name.encode(errors="replace")) > MAX_NAME or name.endswith((".", " ")) or name.startswith(" "):
        return False
    return not (_FORBIDDEN.search(name) or _RESERVED.match(name))


def make_portable(path: str) -> str:
    """Returns a relative path, with `/` between folders, whose names every system allows; most stay as they are.

    Accents get the usual encoding, which is the same on every system.
    """
    return "/".join(map(_make_portable_name, path.split("/")))


def fold_name(path: str) -> str:
    """Returns a text that is the same for two paths that some system takes for one: by capitals, or by accents."""
    return (
        path.lower() if path.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
    )


def find_fault_on_windows(path: PurePosixPath, folder: Path) -> str:
    """Returns why Windows cannot keep a file in a folder, as the end of a sentence; "" if it can."""
    if bad := next((part for part in path.parts if not is_portable(part)), None):
        return "whose name Windows does not allow" if bad == path.name else "in a folder that Windows does not allow"
    is_long = len(str(folder.absolute() / path)) > MAX_WINDOWS_PATH
    return f"whose path would have more than the {MAX_WINDOWS_PATH} characters of Windows" if is_long else ""


def hide_folder(message: str, folder: str | Path, name: str) -> str:
    """Returns a message without the path of a folder, which people elsewhere need not know.

    Args:
        message: The message.
        folder: The folder; paths in it become relative to it.
        name: What stands for the folder itself.
    """
    if Path(folder) == Path():  # paths in it are relative already
        return message
    for separator in {"/", os.sep}:
        message = message.replace(f"{folder}{separator}", "")
    return message.replace(str(folder), name)


def _make_portable_name(name: str) -> str:
    name = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name))
    name = name.strip(" ").rstrip(". ") or "_"
    if found := _RESERVED.match(name):
        end = found.start(found.lastindex or 0)
        name = f"{name[:end].rstrip(' ')}_{name[end:]}"
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > MAX_SUFFIX:
        stem, dot, suffix = name, "", ""
    room = MAX_NAME - len((dot + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + suffix
