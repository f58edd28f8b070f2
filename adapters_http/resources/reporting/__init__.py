"""One contact over all areas: the timeline, and what is kept of them."""
