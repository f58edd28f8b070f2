"""The people a shop may write to, and whether they still agree."""
