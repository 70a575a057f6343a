"""What tests of archives share: one worker without Ray, and reasons to skip."""

from __future__ import annotations

import json
from contextlib import closing
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import pytest

from tintype.cluster import listing
from tintype.cluster.worker import Worker

if TYPE_CHECKING:
    from tintype.cluster.plan import Plan

PATIENCE: Final = 300
"""Seconds that a process may take on a busy machine."""

needs_ray = pytest.mark.skipif(
    not all(map(find_spec, ("ray", "pyarrow"))), reason="Ray is not installed: tintype[cluster]"
)
needs_s3 = pytest.mark.skipif(
    not all(map(find_spec, ("s3fs", "moto", "flask_cors"))), reason="s3fs and moto's server are not installed"
)


def work(plan: Plan, worker: Worker | None = None) -> list[dict[str, Any]]:
    """Carry out a plan in this process, as one worker of a pool does; return the records."""
    with closing(worker or Worker(plan)) as busy:
        answers = [busy({"chunk": json.dumps({"photos": chunk})}) for chunk in listing.chunks(plan)]
    assert not any(answer["fault"] for answer in answers), answers
    return [json.loads(line) for answer in answers for line in json.loads(answer["records"])]


def statuses(records: list[dict[str, Any]]) -> list[str]:
    """Return what became of each photograph."""
    return [record["status"] for record in records]
