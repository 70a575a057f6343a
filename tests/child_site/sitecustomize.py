"""Python runs this at the start of every process that the tests start: see torchvision_shim."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = str(Path(__file__).parents[1])

sys.path.insert(0, TESTS)
try:
    import torchvision_shim
finally:
    sys.path.remove(TESTS)

torchvision_shim.install()
