"""`python -m workers.cli`."""

import sys

from workers.cli.running import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
