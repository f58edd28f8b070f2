"""From a planned message to a delivered one, and never twice."""
