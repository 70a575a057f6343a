"""Let torchvision be imported beside a torch of another build.

The Linux wheels of torchvision on PyPI are built for CUDA. Beside a CPU torch their compiled operators do
not load, and `import torchvision` ends with MESSAGE, though what the training side takes of it, datasets
and transforms, is plain Python. `install` adds an import hook that does nothing until torchvision is
imported, and acts only where that import fails with exactly this error: it declares the two operators that
are looked up by name, and imports again. It never imports torch by itself.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder, SourceFileLoader
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

MESSAGE: Final = "operator torchvision::nms does not exist"
OPERATORS: Final = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_libraries: list[Any] = []  # operators live as long as the library that declares them


def install() -> None:
    """Add the hook, once."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def state() -> str:
    """Say in a few words what the shim did in this process."""
    if _libraries:
        return "acted"
    if "torchvision" in sys.modules:
        return "not needed"
    return "torchvision not imported" if find_spec("torchvision") else "torchvision not installed"


class _Finder:
    """Finds torchvision, and nothing else."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return torchvision's own spec with a loader that tries twice."""
        spec = PathFinder.find_spec(name, path) if name == "torchvision" else None
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        """Import torchvision; where its operators are missing, declare them and import it again."""
        try:
            super().exec_module(module)
        except RuntimeError as error:
            if str(error) != MESSAGE:
                raise
            for name in [name for name in sys.modules if name.startswith("torchvision.")]:
                del sys.modules[name]
            _declare()
            super().exec_module(module)


def _declare() -> None:
    from torch import library as registry

    library: Any = registry.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for operator in OPERATORS:
        library.define(operator)
    _libraries.append(library)
