"""Rate limits: their table, and how requests are counted."""
