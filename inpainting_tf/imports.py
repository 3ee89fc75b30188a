"""Code that runs when another package is imported, without importing that package."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import traceback
from collections.abc import Callable, Sequence
from types import ModuleType

Load = Callable[[ModuleType], None]


def wrap(name: str, wrapper: Callable[[Load], Load]) -> None:
    """Wraps the loading of the package `name` at its first import, if that is still to come."""
    if name not in sys.modules:
        sys.meta_path.insert(0, _Finder(name, wrapper))


def after(name: str, then: str) -> None:
    """Imports the module `then` of this package as soon as the package `name` is imported, or at once.

    A module of this package that imports `name` itself is exempt: it could be one that `then` needs.
    """
    if name in sys.modules:
        importlib.import_module(then)
        return

    def wrapper(load: Load) -> Load:
        def load_both(module: ModuleType) -> None:
            load(module)
            if not _is_imported_by_this_package():
                importlib.import_module(then)

        return load_both

    wrap(name, wrapper)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds a package by the usual finder until it is loaded, which is done by a wrapped function."""

    def __init__(self, name: str, wrapper: Callable[[Load], Load]) -> None:
        self._name, self._wrapper = name, wrapper
        self._load: Load

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            self._load = self._wrapper(spec.loader.exec_module)
            spec.loader.exec_module = self._load_once  # type: ignore[method-assign]  # of this one loader
        return spec

    def _load_once(self, module: ModuleType) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._load(module)


def _is_imported_by_this_package() -> bool:
    """Whether the body of one of this package's modules is being executed."""
    bodies = (frame for frame, _ in traceback.walk_stack(None) if frame.f_code.co_name == "<module>")
    return any(frame.f_globals.get("__name__", "").startswith(f"{__package__}.") for frame in bodies)
