"""Kills everything that sends, at every point and under every fault, and judges what phones got.

`docs/guarantees.md` says what is promised. Short and seeded here in the suite; long by
`make torture` (`python -m tests.torture.run --help`).
"""
