"""The jobs: their table, how one is run, and which queue it waits in."""
