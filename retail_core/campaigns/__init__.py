"""One text to one audience at one time."""
