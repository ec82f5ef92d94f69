"""`python -m pipelines` starts the command line."""

import sys

from pipelines.cli.commands import main
from pipelines.operations import logs

if __name__ == "__main__":
    logs.catch_all()
    sys.exit(main())
