"""train.py, watched: for tests of one process that is killed, and of several. Options are those of train.py.

In the folder WITNESS each process leaves what it holds in the end, rank-N.pt. With VICTIM=RANK:STEP that
process is killed before that step, the first time that it comes there.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

import train

FOLDER, RANK = Path(os.environ["WITNESS"]), os.environ.get("RANK", "0")
VICTIM = os.environ.get("VICTIM", "")
take_step = train.step_once


def step_once(run: Any, network: Any, *others: Any) -> Any:
    """Take a step, and note the state behind it."""
    if f"{RANK}:{run.step}" == VICTIM:
        grave = FOLDER / "killed"
        if not grave.exists():
            grave.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    loss = take_step(run, network, *others)
    ema = None if run.ema is None else run.ema.module.state_dict()
    critic = None if run.critic is None else run.critic.state_dict()
    torch.save({"model": run.model.state_dict(), "ema": ema, "critic": critic}, FOLDER / f"rank-{RANK}.pt")
    return loss


setattr(train, "step_once", step_once)  # noqa: B010 - of other types
if __name__ == "__main__":
    sys.exit(train.main())
