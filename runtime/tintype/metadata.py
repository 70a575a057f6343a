"""The contract that a model file carries: what it expects and what it gives, versioned.

It lives in the ONNX file's `metadata_props`, a dict of strings. Export writes it, the session reads
it; what is missing or unknown is refused, never guessed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tintype.errors import ModelContractError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CONTRACT: Final = 1
INPUT: Final = "l"
"""float32 (N, 1, H, W), L* in [0, 100]; H and W multiples of `multiple`."""
OUTPUT: Final = "ab"
"""float32 (N, 2, H, W), CIE units: the answer."""
MEAN_OUTPUT: Final = "ab_mean"
"""As `ab`: the expectation, of models that predict a distribution."""
FORMS: Final = ("ab", "rgb")
"""Of graphs: lightness to color, which the runtime takes, or a picture to a colorized one."""

SMALLEST_WORKING_SIZE: Final = 64
LARGEST_WORKING_SIZE: Final = 1024


@dataclass(frozen=True)
class Metadata:
    """What a model file says of itself."""

    model: str
    """Name: classic, fusion, ..."""
    version: str
    working_size: int
    """Side of the square that the photograph is stretched to before the network sees it, px."""
    author: str
    license: str
    training: dict[str, Any] = field(default_factory=dict)
    """Data, licence tiers, steps, recipe, commit, network."""
    metrics: dict[str, Any] = field(default_factory=dict)
    form: str = "ab"
    multiple: int = 8
    resize: str = "stretch"
    contract: int = CONTRACT

    def to_props(self) -> dict[str, str]:
        """Return the strings that go into the file."""
        return {
            "tintype.contract": str(self.contract),
            "tintype.model": self.model,
            "tintype.form": self.form,
            "tintype.version": self.version,
            "tintype.multiple": str(self.multiple),
            "tintype.working_size": str(self.working_size),
            "tintype.resize": self.resize,
            "tintype.training": json.dumps(self.training, sort_keys=True),
            "tintype.metrics": json.dumps(self.metrics, sort_keys=True),
            "model_author": self.author,
            "model_license": self.license,
        }

    @classmethod
    def from_props(
        cls, props: Mapping[str, str], path: str | Path, forms: Sequence[str] = FORMS[:1]
    ) -> Metadata:
        """Undo `to_props`; raises ModelContractError with what was found and what is understood.

        `forms` that are understood; the runtime takes `ab` alone.
        """
        if "tintype.contract" not in props:
            raise ModelContractError(
                path, "it carries no tintype.contract; make one with python -m export, see docs"
            )
        found = props["tintype.contract"]
        if found != str(CONTRACT):
            raise ModelContractError(
                path,
                f"it follows contract {found}, understood here is {CONTRACT}: update Tintype or the model",
            )
        try:
            metadata = cls(
                model=props["tintype.model"],
                version=props["tintype.version"],
                working_size=int(props["tintype.working_size"]),
                author=props["model_author"],
                license=props["model_license"],
                training=_object(props["tintype.training"]),
                metrics=_object(props["tintype.metrics"]),
                form=props["tintype.form"],
                multiple=int(props["tintype.multiple"]),
                resize=props["tintype.resize"],
            )
        except KeyError as error:
            raise ModelContractError(path, f"its metadata lacks {error.args[0]}") from error
        except (ValueError, RecursionError) as error:
            reason = str(error).partition("\n")[0][:200]
            raise ModelContractError(path, f"its metadata cannot be read: {reason}") from error
        metadata._check(path, forms)
        return metadata

    def _check(self, path: str | Path, forms: Sequence[str]) -> None:
        if not re.fullmatch(r"[\w.+-]{1,64}", self.model):  # it becomes a part of files' names
            raise ModelContractError(
                path, f"its name {self.model[:64]!r} is not one of letters, digits and .+-_"
            )
        if self.form not in forms:
            raise ModelContractError(
                path, f"its form is {self.form}; taken here is form {' or '.join(forms)}"
            )
        if self.resize != "stretch":
            raise ModelContractError(path, f"its resize rule is {self.resize}; understood is stretch")
        if self.multiple < 1:
            raise ModelContractError(path, f"its size multiple is {self.multiple}")
        check_working_size(self.working_size, self.multiple, path)


def _object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"{text} is no JSON object")  # noqa: TRY004 - a value of the file, not of a caller
    return value


def check_working_size(size: int, multiple: int, path: str | Path) -> None:
    """Raise ModelContractError for a working size that a model cannot have."""
    if fault := working_size_fault(size, multiple):
        raise ModelContractError(path, fault)


def working_size_fault(size: int, multiple: int) -> str | None:
    """Say why a working size is none that a model can have; None if it is one."""
    if SMALLEST_WORKING_SIZE <= size <= LARGEST_WORKING_SIZE and size % multiple == 0:
        return None
    return (
        f"a working size of {size} is not a multiple of {multiple} "
        f"from {SMALLEST_WORKING_SIZE} to {LARGEST_WORKING_SIZE}"
    )
