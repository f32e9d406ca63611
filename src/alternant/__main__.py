"""Run the command line: ``python -m alternant``."""

import sys

from alternant.cli import main

sys.exit(main())
