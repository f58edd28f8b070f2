"""Audiences: lists, segments and the frequency cap as SQL."""
