"""Open the window: the same as `tintype-gui`, from a checkout."""

import sys

try:
    from tintype.gui.app import main
except ModuleNotFoundError as missing:
    sys.exit(f"gui.py needs {missing.name}: in this folder, run pip install -e .")

if __name__ == "__main__":
    sys.exit(main())
