"""Imports torchvision without PyTorch's compiler, which would take most of the import's time and 150 MB.

torchvision names one function of the compiler, for networks on a GPU that this project does not have (RoI align). While
it is imported, a stand-in takes the compiler's place; the function imports the compiler when it is called.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:  # its import takes longer than those of all that --help needs
    from importlib.abc import Loader

TORCHVISION, COMPILER = "torchvision", "torch._dynamo"
UTILS, FUNCTION = f"{COMPILER}.utils", "is_compile_supported"


class _Finder:
    """Finds torchvision, and nothing else."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == TORCHVISION else None
        if spec and spec.loader:
            spec.loader = cast("Loader", _Loader(spec.loader))
        return spec


class _Loader:
    """Loads torchvision as another loader does, with a stand-in for the compiler."""

    def __init__(self, loader: "Loader") -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # such as the reading of resources

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        import_module("torch")  # to which the compiler belongs

        with _stand_in():
            self._loader.exec_module(module)


class _StandIn(ModuleType):
    """A module in the place of one that has not been imported; whatever else it is asked for, it imports that one."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        _remove()
        return getattr(import_module(self.__name__), name)


@contextmanager
def _stand_in() -> Iterator[None]:
    if COMPILER in sys.modules:
        yield
        return
    package, utils = _StandIn(COMPILER), _StandIn(UTILS)
    vars(package).update(__path__=[], utils=utils)
    vars(utils)[FUNCTION] = lambda *arguments: getattr(import_module(UTILS), FUNCTION)(*arguments)
    sys.modules.update({COMPILER: package, UTILS: utils})
    try:
        yield
    finally:
        _remove()


def _remove() -> None:
    for name in (COMPILER, UTILS):
        if isinstance(sys.modules.get(name), _StandIn):
            del sys.modules[name]


def install() -> None:
    """Makes the first import of torchvision in this process light."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
