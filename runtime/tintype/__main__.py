"""Run the command line as `python -m tintype`."""

from __future__ import annotations

import sys

from tintype.cli import main

if __name__ == "__main__":
    sys.exit(main())
