"""`python -m workers.dev`."""

import sys

from workers.dev.run import main

if __name__ == "__main__":
    sys.exit(main())
