"""Messages whose fate is not known yet."""
