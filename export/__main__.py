"""Turn trained weights into a model file, `python -m export WEIGHTS OUT.onnx`, or make a whole release.

WEIGHTS is the folder of a run (its best checkpoint is taken), a checkpoint, a released .onnx,
.safetensors, or Keras weights (.h5, .keras) of the original. The file is left only if ONNX's checks
pass and the runtime computes from it what torch computes from the weights.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import onnx

    from export import graph, parity, storage
    from export.release import release
    from tintype import output
    from tintype.errors import TintypeError, UsageError
    from tintype.metadata import FORMS, MEAN_OUTPUT, Metadata, working_size_fault
    from tintype.session import open_session
    from torch_model import disk, weights
    from torch_model.checkpoint import CheckpointError, best
    from torch_model.model import MULTIPLE, count_parameters, fold
except ModuleNotFoundError as missing:
    sys.exit(f"python -m export needs {missing.name}: in this folder, run pip install -e '.[train,export]'")

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch_model.model import Network

DESCRIPTION = (
    "Colorizes photographs. Input l: float32 (N, 1, H, W), CIE L* in [0, 100] of sRGB under D65, the whole "
    "photograph stretched to tintype.working_size squared; H and W multiples of 8. Output ab: float32 "
    "(N, 2, H, W), CIE a* and b*, to be enlarged to the photograph and joined with its own L*."
)
MEAN = (
    " Output ab_mean, of the same form: the mean of the likely colors, quieter; ab is the mean of their "
    "sharpened distribution. ab_mean + v (ab - ab_mean) goes from the one to the other and beyond."
)


class ParityError(TintypeError, ArithmeticError):
    """The file does not compute what the weights do."""


def build_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("weights", type=Path, nargs="?", help="folder of a run, .pt, .onnx, .safetensors, .h5 or .keras")
    add("out", type=Path, nargs="?", help="the .onnx file to write, or a .safetensors file of the weights")
    add("--release", type=Path, metavar="DIR", help="write every form of the released models there")
    add("--models", nargs="+", default=[], metavar="NAME", help="with --release: these alone")
    add("--name", help="of the model; else what the weights say, or the network's variant")
    add("--version", help="of the model; else what the weights say, or 1")
    add("--working-size", type=int, metavar="PX", help="else what the weights say, or the training size")
    add("--store", choices=["fp16", "fp32"], default="fp16", help="type of stored weights (%(default)s)")
    add("--author", help="else what the weights say")
    add("--license", help="of the weights; else what the weights say")
    add("--training", type=Path, metavar="FILE", help="JSON to add: data, licence tiers, recipe, commit")
    add("--metrics", type=Path, metavar="FILE", help="JSON of the model's metrics")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.release is None and (options.out is None or options.models):
        parser.error("name WEIGHTS and OUT, or --release DIR, to which alone --models belongs")
    if options.release is not None and options.weights is not None:
        parser.error("--release takes its weights from the released models, no others")
    try:
        if options.release is not None:
            release(options.release, options.models)
            return 0
        if options.weights.is_dir():
            options.weights = best(options.weights)
        network = fold(weights.load(options.weights))
        if options.out.suffix == ".safetensors":
            weights.save(network, options.out, weights.training(options.weights))
            print(f"{options.out}: {count_parameters(network):,} parameters, float32")
            return 0
        metadata = describe(options, network)
        if options.store == "fp16":
            metadata = replace(metadata, training=metadata.training | {"storage": storage.loss(network)})
        difference = export(network, metadata, options.out, halved=options.store == "fp16")
    except ParityError as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    except (TintypeError, CheckpointError, ValueError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    print(
        f"{options.out}: {metadata.model} {metadata.version}, {count_parameters(network):,} parameters, "
        f"{options.out.stat().st_size / 1e6:.2f} MB, working size {metadata.working_size}; "
        f"parity with torch {difference:.1e} ab (at most {parity.TOLERANCE:g})"
        f"{storage.describe(metadata.training)}"
    )
    return 0


def export(network: Network, metadata: Metadata, out: Path, *, halved: bool) -> float:
    """Write a model file and return its largest difference to torch, ab; leave none that differs.

    Raises ParityError where it differs by more than `parity.TOLERANCE`, and OutputError.
    """
    if halved:
        graph.round_weights(network)
    model = graph.trace(network)
    if halved:
        graph.store_halved(model)
    description = DESCRIPTION + (MEAN if MEAN_OUTPUT in network.OUTPUTS else "")
    graph.set_metadata(model, metadata.to_props(), description)
    graph.check(model)
    output.make_folder(out.parent)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        with disk.naming(out):
            onnx.save(model, partial)
        difference = parity.max_difference(network, open_session(partial, "cpu"))
        if not difference <= parity.TOLERANCE:
            raise ParityError(f"onnxruntime differs from torch by {difference:.2g} ab: {out} is not written")
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return difference


def describe(options: argparse.Namespace, network: Network) -> Metadata:
    """Gather the metadata: what the weights say of themselves, then what the options say."""
    known = _known(options.weights, network)
    given: dict[str, Any] = {
        "model": options.name,
        "version": options.version,
        "working_size": options.working_size,
        "author": options.author,
        "license": options.license,
    }
    metadata = replace(known, **{name: value for name, value in given.items() if value is not None})
    if options.training is not None:
        metadata = replace(metadata, training=metadata.training | _json(options.training))
    if options.metrics is not None:
        metadata = replace(metadata, metrics=_json(options.metrics))
    if fault := working_size_fault(metadata.working_size, MULTIPLE):
        raise UsageError(f"{fault}: give another by --working-size")
    return metadata


def _known(path: Path, network: Network) -> Metadata:
    """Return what a file of weights, whose folded network is at hand, says of itself."""
    if path.suffix.lower() == ".onnx":
        model = onnx.load(path, load_external_data=False)
        props = {item.key: item.value for item in model.metadata_props}
        return replace(Metadata.from_props(props, path, FORMS), form="ab", multiple=MULTIPLE)
    training = {"network": weights.describe(network.config), **weights.training(path)}
    size = training.get("recipe", {}).get("size", 256)
    return Metadata(network.config.variant, "1", size, author="unknown", license="unknown", training=training)


def _json(path: Path) -> dict[str, Any]:
    values = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise UsageError(f"{path} does not hold a JSON object")
    return values


if __name__ == "__main__":
    sys.exit(main())
