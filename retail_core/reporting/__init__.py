"""Numbers over all rooms, for the shop's dashboard."""
