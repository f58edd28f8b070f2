"""Lists and segments: which contacts a campaign is for."""
