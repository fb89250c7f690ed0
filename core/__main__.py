"""The command line: `python -m core train | evaluate | check | …`; `--help` lists the commands."""

import sys

from core.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
