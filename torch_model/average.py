"""Average the weights of networks that were trained from one another: where they differ it becomes calmer.

    python -m torch_model.average A B... OUT.safetensors [--shares 1 1...]

A "model soup" (Wortsman et al., 2022): one network, as fast as each of them. All must be of one kind; how the
first one decodes (temperature, gain, perplexity, violet) is kept, so that it is best calibrated again.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tintype.errors import TintypeError, UsageError
from torch_model import weights
from torch_model.checkpoint import CheckpointError
from torch_model.model import build

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch_model.model import Network


def build_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m torch_model.average",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("weights", nargs="+", type=Path, help="folders of runs, .pt, .onnx or .safetensors, two or more")
    add("out", type=Path, help="the .safetensors file to write")
    add("--shares", nargs="+", type=float, metavar="S", help="how much each counts (all alike)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        shares = options.shares or [1.0] * len(options.weights)
        check(options.weights, options.out, shares)
        made = averaged([weights.load(path) for path in options.weights], shares)
        parts = [
            {"file": path.name, "share": share} for path, share in zip(options.weights, shares, strict=True)
        ]
        weights.save(made, options.out, weights.training(options.weights[0]) | {"averaged": parts})
    except (TintypeError, CheckpointError, ValueError, OSError) as error:
        print(f"average: {error}", file=sys.stderr)
        return 2
    print(f"{options.out}: the mean of {len(options.weights)} networks")
    return 0


def check(files: Sequence[Path], out: Path, shares: Sequence[float]) -> None:
    """Raise UsageError for what cannot be averaged, in words."""
    weights.check_name(out)
    if len(files) < 2:
        raise UsageError("two or more files are wanted before the one to write")
    if len(shares) != len(files):
        raise UsageError(f"--shares has {len(shares)} numbers for {len(files)} files")
    if not all(math.isfinite(share) and share > 0 for share in shares):
        raise UsageError("--shares: numbers above 0 are wanted")


def averaged(networks: Sequence[Network], shares: Sequence[float]) -> Network:
    """Return a network, in evaluation mode, whose weights are the weighted mean of networks'.

    Raises UsageError if they are not of one kind.
    """
    first = networks[0]
    for other in networks[1:]:
        if _shape(other) != _shape(first):
            raise UsageError(
                f"a {other.config.variant} is not of the first network's kind, {first.config.variant}: "
                "same options are wanted"
            )
    states = [network.state_dict() for network in networks]
    made = build(first.config).eval()
    made.load_state_dict(
        {
            name: sum(
                share * state[name].double() for share, state in zip(shares, states, strict=True)
            ).float()
            / sum(shares)
            for name in states[0]
        }
    )
    return made


def _shape(network: Network) -> object:
    """Return what must be the same: all that is known of a network but how it decodes."""
    return replace(network.config, temperature=1.0, gain=1.0, perplexity=0.0, violet=1.0)


if __name__ == "__main__":
    sys.exit(main())
