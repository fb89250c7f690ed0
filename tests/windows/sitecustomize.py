"""Makes this process resemble one on Windows, as far as the project's own modules can tell.

They do not see what `absent` names, and what Windows refuses is refused to them: replacing, moving and removing files
that a process of this kind has open or mapped, and replacing folders. Libraries keep everything: theirs have been
written for Windows, too.
"""

import builtins
import errno
import importlib.util
import os
import shutil
import sys
import types
from pathlib import Path

VARIABLE = "TESTS_RESEMBLE_WINDOWS"  # marks the processes whose files count
PROJECT = ("core", "playground", "app", "benchmarks")
FROM = (*PROJECT, "__main__", "pathlib", "shutil")  # who asks the system for a change on behalf of the project
os.environ[VARIABLE] = "1"

spec = importlib.util.spec_from_file_location("absent", Path(__file__).with_name("absent.py"))
assert spec and spec.loader
absent = importlib.util.module_from_spec(spec)
spec.loader.exec_module(absent)


def is_of_project(name: str) -> bool:
    return name.partition(".")[0] in PROJECT


class Without(types.ModuleType):
    """A module of Python without some of its names."""

    def __init__(self, module: types.ModuleType, absent: frozenset[str], instead: dict[str, object]) -> None:
        super().__init__(module.__name__)
        vars(self).update(_module=module, _absent=absent, _instead=instead)

    def __getattr__(self, name: str) -> object:
        if name in self._absent:
            raise AttributeError(f"Windows has no {self.__name__}.{name}", name=name, obj=self)
        return self._instead[name] if name in self._instead else getattr(self._module, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._module, name, value)


INSTEAD = {"os": {"name": "nt"}, "sys": {"platform": "win32"}}
plain_import = builtins.__import__


def import_for_project(name, globals=None, locals=None, fromlist=(), level=0):
    found = plain_import(name, globals, locals, fromlist, level)
    if level:
        return found
    if name in absent.MODULES:
        raise ModuleNotFoundError(f"Windows has no module {name}", name=name)
    if name in absent.NAMES or name in INSTEAD:
        return Without(found, absent.NAMES.get(name, frozenset()), INSTEAD.get(name, {}))
    return found


def hide_from(finder):
    """Makes a finder's modules of the project import with `import_for_project`."""
    find_spec = finder.find_spec

    def find(name, path=None, target=None):
        spec = find_spec(name, path, target)
        if spec and spec.loader and is_of_project(name):
            execute = spec.loader.exec_module

            def exec_module(module):
                vars(module)["__builtins__"] = {**vars(builtins), "__import__": import_for_project}
                execute(module)

            spec.loader.exec_module = exec_module
        return spec

    finder.find_spec = find


hide_from(next(each for each in sys.meta_path if getattr(each, "__name__", "") == "PathFinder"))


def refuse(path) -> None:
    raise PermissionError(errno.EACCES, "The process cannot access the file because it is being used", os.fspath(path))


def is_open(path: str) -> bool:
    """Returns whether a process of this kind has a file open or mapped, or one in a folder."""
    inside = path + os.sep
    for process in filter(str.isdecimal, os.listdir("/proc")):
        try:
            alike = VARIABLE.encode() in Path("/proc", process, "environ").read_bytes()
            if not alike and int(process) != os.getpid():
                continue
            files = [os.readlink(each.path) for each in os.scandir(f"/proc/{process}/fd")]
            maps = Path("/proc", process, "maps").read_bytes().decode(errors="replace").splitlines()
        except OSError:  # it has just ended, or is another user's
            continue
        files += [line.split(maxsplit=5)[5] for line in maps if line.count(" ") > 4 and "/" in line]
        if any(each == path or each.startswith(inside) for each in files):
            return True
    return False


def guard(name: str) -> None:
    act = getattr(os, name)

    def guarded(*paths, **options):
        if sys._getframe(1).f_globals.get("__name__", "").partition(".")[0] in FROM:
            for path in paths:
                path = os.path.realpath(path)
                if os.path.isdir(path) and name == "replace" and path == os.path.realpath(paths[1]):
                    refuse(path)
                if os.path.lexists(path) and name == "rename" and path == os.path.realpath(paths[1]):
                    raise FileExistsError(errno.EEXIST, "Cannot create a file when that file already exists", path)
                if os.path.exists(path) and is_open(path):
                    refuse(path)
        return act(*paths, **options)

    setattr(os, name, guarded)


for change in ("replace", "rename", "unlink", "remove", "rmdir"):
    guard(change)
shutil._use_fd_functions = False  # as on Windows: with paths instead of descriptors
