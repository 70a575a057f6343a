"""`tintype cluster FOLDER -o OUT`: options, what can be wrong before work starts, one run."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tintype import __version__, discover, models, naming, options, output, precision
from tintype.cluster import engine
from tintype.cluster.archive import Run
from tintype.cluster.engine import Pool
from tintype.cluster.hush import hushed
from tintype.cluster.plan import Plan
from tintype.cluster.remote import Remote
from tintype.errors import UsageError
from tintype.naming import Naming
from tintype.session import PROVIDERS
from tintype.url import Url, as_path
from tintype.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tintype.batch import Settings
    from tintype.colorizer import Colorizer

_EXAMPLES: Final = """\
examples:
  tintype cluster scans/ -o color/ -r                      on all cores of this machine
  tintype cluster scans/ -o color/ -r --address HOST:6379  on a cluster that sees these folders
  tintype cluster s3://archive/scans -o s3://archive/color -r
"""
_WITH_GPU: Final = frozenset({"cuda"})
_FILE: Final = "file://"


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of `tintype cluster FOLDER -o OUT [options]`."""
    parser = argparse.ArgumentParser(
        prog="tintype cluster",
        description="Colorize an archive on several processes or machines, through Ray.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "folder",
        metavar="FOLDER",
        help="a folder, or a URL of any filesystem that fsspec knows: s3://, gs://, ...",
    )
    add("-o", "--out", required=True, help="where results go: a folder or a URL")
    add(
        "--address",
        help="a Ray cluster, as ray.init takes it; $RAY_ADDRESS, or a Ray of its own on this machine",
    )
    add("--actors", type=int, metavar="N", help="workers; by default as many as there are CPUs (or GPUs) for")
    add("--gpus", type=float, metavar="X", help="GPUs of a worker; 1 with --provider cuda, else 0")
    options.add_run(parser)
    add("--threads", type=int, default=1, metavar="N", help="threads, and CPUs, of a worker (%(default)s)")
    options.add_look(parser)
    return parser


def run(arguments: Sequence[str]) -> int:
    """Carry out the command; return the exit code. Raises TintypeError where nothing can start."""
    chosen = build_parser().parse_args(arguments)
    settings = options.settings(chosen)
    pool = _pool(chosen)
    places = _places(chosen)
    if chosen.provider not in {"auto", *PROVIDERS}:
        raise UsageError(f"there is no provider {chosen.provider}: choose auto, {', '.join(PROVIDERS)}")
    naming.check_template(chosen.name)
    model = precision.choose(chosen.model, chosen.provider)  # once for all: processors differ
    here = argparse.Namespace(**vars(chosen) | {"model": model, "provider": "cpu", "threads": 1})
    colorizer = options.open_model(here)
    with hushed():
        engine.require()
        _check(chosen, places)
        engine.start(chosen.address, pool)
        try:
            plan = _plan(chosen, places, settings, colorizer, model)
            kind = Workbench(colorizer, settings, None).kind
            return Run(chosen, plan, pool, kind).carry_out()
        finally:
            engine.stop()


@dataclass(frozen=True)
class _Places:
    folder: Path
    out: Path


def _plan(
    chosen: argparse.Namespace,
    places: _Places,
    settings: Settings,
    colorizer: Colorizer,
    model: str | Path,
) -> Plan:
    return Plan(
        run=os.urandom(6).hex(),
        folder=places.folder,
        out=places.out,
        recursive=chosen.recursive,
        compare=chosen.compare,
        names=Naming(places.out, folder=True, template=chosen.name, model=colorizer.model),
        settings=settings,
        version=__version__,
        **_model(model, colorizer),
        provider=chosen.provider,
        threads=chosen.threads,
        working_size=chosen.working_size,
    )


def _pool(chosen: argparse.Namespace) -> Pool:
    if chosen.threads < 1:
        raise UsageError(f"{chosen.threads} threads: at least 1 is needed")
    if chosen.actors is not None and chosen.actors < 1:
        raise UsageError(f"--actors {chosen.actors}: at least 1 is needed")
    gpus = chosen.gpus if chosen.gpus is not None else float(chosen.provider in _WITH_GPU)
    if not 0 <= gpus < float("inf"):
        raise UsageError(f"--gpus {gpus:g}: 0 or more is needed")
    return Pool(chosen.actors, chosen.threads, gpus)


def _places(chosen: argparse.Namespace) -> _Places:
    """Return where photographs are and results go. Raises UsageError where one is in the other's way."""
    folder, out = (as_path(_absolute(place.removeprefix(_FILE))) for place in (chosen.folder, chosen.out))
    first, second = naming.identity(folder), naming.identity(out)
    if first == second or second in first.parents:
        raise UsageError(f"-o {out}: the photographs are there; choose another folder for results")
    return _Places(folder, out)


def _absolute(place: str) -> str:
    """Return a local path as it is called in any folder: workers are in others."""
    return place if "://" in place else os.path.abspath(place)  # noqa: PTH100 - links stay as they are


def _check(chosen: argparse.Namespace, places: _Places) -> None:
    """See that there is something to read, and somewhere to write. Raises UsageError or OutputError."""
    for place, write in ((places.folder, False), (places.out, not chosen.dry_run)):
        if isinstance(place, Url):
            files = Remote(str(place))
            if write:
                files.check_folder(place)
            elif place == places.folder:
                files.check_there(place)
        elif write:
            output.check_folder(place)
        elif place == places.folder and not discover.is_folder(place):
            raise UsageError(f"there is no folder {place}")
    if chosen.report is not None:
        output.check_folder(chosen.report.parent)


def _model(name: str | Path, colorizer: Colorizer) -> dict[str, Any]:
    """Return what a plan says of the model; the bytes of one that is not bundled go along."""
    path = colorizer.session.path
    known: dict[str, Any] = {"model_sha256": models.sha256(path)}
    if path.parent == models.FOLDER:
        return known | {"model": str(name), "weights": None}
    return known | {"model": path.name, "weights": engine.keep(path.read_bytes())}
