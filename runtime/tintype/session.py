"""Open an ONNX model: provider, threads, memory, and errors that say what to do."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tintype import memory, models, onnx_file
from tintype.errors import (
    CancelledError,
    ModelContractError,
    ModelNotFoundError,
    ModelUnreadableError,
    ProviderError,
)
from tintype.metadata import INPUT, MEAN_OUTPUT, OUTPUT, Metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tintype.watch import Watch

Float: TypeAlias = NDArray[np.float32]

PROVIDERS: Final = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
AUTO: Final = ("cuda", "directml", "cpu")  # coreml and openvino, slower on these graphs, only by name
SILENT: Final = 4  # onnxruntime's own log lines: only what ends the process


class Session:
    """An open model. `run` may be called from any thread; calls wait for each other."""

    def __init__(self, path: Path, provider: str, session: Any) -> None:
        """Take an onnxruntime session; raises ModelContractError unless it is a model of ours."""
        self.path, self.provider = path, provider
        self._session = session
        self._turn = threading.Lock()  # DirectML takes one call at a time; a cancelled one may still be at it
        self.metadata = Metadata.from_props(session.get_modelmeta().custom_metadata_map, path)
        self.outputs = _check_signature(session, path)

    @property
    def has_mean(self) -> bool:
        """Whether the model also gives the expectation, so that vividness can be set."""
        return MEAN_OUTPUT in self.outputs

    def run(self, lightness: Float, watch: Watch | None = None) -> tuple[Float, Float | None]:
        """Run the network: L* (N, 1, H, W) float32 -> ab and, of some models, ab_mean (N, 2, H, W).

        H and W must be multiples of `metadata.multiple`; raises ValueError otherwise, ModelContractError
        where the model cannot take them, MemoryError, and CancelledError within 0.1 s of `watch.cancel()`.
        """
        multiple = self.metadata.multiple
        if lightness.ndim != 4 or lightness.shape[1] != 1 or any(n % multiple for n in lightness.shape[2:]):
            raise ValueError(
                f"lightness of shape {lightness.shape}: "
                f"wanted is (N, 1, H, W), H and W multiples of {multiple}"
            )
        try:
            values = self._answer(lightness, watch)
        except CancelledError:
            raise
        except Exception as error:  # onnxruntime's errors share no base but this one
            reason = _reason(error)
            if "alloc" in reason:
                raise MemoryError(reason) from error
            raise ModelContractError(self.path, reason) from error
        self._check_answer(values, lightness)
        return values[0], values[1] if len(values) > 1 else None

    def _check_answer(self, values: list[Float], lightness: Float) -> None:
        """Raise ModelContractError where the network does not give what its signature says."""
        count, _, height, width = lightness.shape
        for name, value in zip(self.outputs, values, strict=True):
            if value.shape != (count, 2, height, width):
                raise ModelContractError(self.path, f"its {name} is of shape {value.shape}")
            if not np.isfinite(value).all() and np.isfinite(lightness).all():
                raise ModelContractError(self.path, f"its {name} has values that are no numbers")

    def _answer(self, lightness: Float, watch: Watch | None) -> list[Float]:
        if watch is None:
            with self._turn:
                return list(self._session.run(self.outputs, {INPUT: lightness}))
        import onnxruntime

        options = onnxruntime.RunOptions()
        options.log_severity_level = SILENT  # that it was terminated is no news

        def call() -> list[Float]:
            with self._turn:
                return list(self._session.run(self.outputs, {INPUT: lightness}, options))

        return watch.run(call, lambda: setattr(options, "terminate", True))


def open_session(path: Path, provider: str = "auto", threads: int | None = None) -> Session:
    """Open a model file with a provider: one of PROVIDERS, or `auto` for the first of AUTO that opens.

    `threads` of the CPU provider; None is the number of physical cores. Raises ModelNotFoundError,
    ModelUnreadableError, ModelContractError, ProviderError.
    """
    if not path.is_file():
        raise ModelNotFoundError(path, sorted(models.bundled()))
    onnx_file.check(path)
    return _first(path, candidates(provider), threads or physical_cores())


def candidates(provider: str) -> list[str]:
    """Return the providers to try, in this order; raises ProviderError where there is none of this name."""
    import onnxruntime

    available = onnxruntime.get_available_providers()
    if provider == "auto":
        return [name for name in AUTO if PROVIDERS[name] in available]
    if provider not in PROVIDERS:
        raise ProviderError(f"there is no provider {provider}: choose auto, {', '.join(PROVIDERS)}")
    if PROVIDERS[provider] not in available:
        here = ", ".join(name for name, full in PROVIDERS.items() if full in available)
        raise ProviderError(
            f"provider {provider} is not in the onnxruntime installed here, which has {here}: "
            "install the onnxruntime package that carries it, or use --provider auto"
        )
    return [provider]


def _first(path: Path, names: Sequence[str], threads: int) -> Session:
    import onnxruntime

    reason = ""
    for name in names:
        wanted = dict.fromkeys([PROVIDERS[name], PROVIDERS["cpu"]])
        try:
            session = onnxruntime.InferenceSession(
                str(path), _options(onnxruntime, name, threads), providers=list(wanted)
            )
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors share no base but this one
            reason = _reason(error)
            continue
        if session.get_providers()[0] == PROVIDERS[name]:
            session.disable_fallback()
            memory.give_back()
            return Session(path, name, session)
        reason = "onnxruntime fell back to another provider"
    if "cpu" in names:
        raise ModelUnreadableError(path, reason)
    raise ProviderError(f"provider {names[0]} did not open: {reason}. Use --provider auto or cpu")


def _options(onnxruntime: Any, name: str, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps the largest size it ever saw
    options.enable_mem_pattern = name != "directml"
    options.log_severity_level = SILENT
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _check_signature(session: Any, path: Path) -> list[str]:
    """Return the names of the outputs to ask for; raise ModelContractError on any other signature."""
    inputs, outputs = _signature(session.get_inputs()), _signature(session.get_outputs())
    if list(inputs) != [INPUT]:
        raise ModelContractError(path, f"its inputs are {list(inputs)}, wanted is {INPUT}")
    if OUTPUT not in outputs:
        raise ModelContractError(path, f"its outputs are {list(outputs)}, wanted is {OUTPUT}")
    names: list[str] = [name for name in (OUTPUT, MEAN_OUTPUT) if name in outputs]
    for name, found, channels in [(INPUT, inputs[INPUT], 1), *((name, outputs[name], 2) for name in names)]:
        if found != ("tensor(float)", 4, channels):
            kind, rank, size = found
            raise ModelContractError(
                path,
                f"its {name} is {kind} with {rank} axes and {size} channels, "
                f"wanted is tensor(float) with 4 and {channels}",
            )
    return names


def _signature(items: Sequence[Any]) -> dict[str, tuple[str, int, Any]]:
    """Return type, number of axes and channels of inputs or outputs, by name."""
    return {
        item.name: (item.type, len(item.shape), item.shape[1] if len(item.shape) > 1 else None)
        for item in items
    }


def physical_cores() -> int:
    """Count the physical cores that this process may use; where that is unknown, the logical ones."""
    everywhere = set(range(os.cpu_count() or 1))
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else everywhere
    siblings = (
        Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list") for number in allowed
    )
    cores = {path.read_text() for path in siblings if path.is_file()}
    return max(1, len(cores) or len(allowed))


def _reason(error: Exception) -> str:
    """Return the first line of an onnxruntime error, without its codes."""
    text = str(error).strip().partition("\n")[0]
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text) or type(error).__name__
