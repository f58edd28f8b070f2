"""Messages a shop sends by itself: birthdays, name days, welcomes."""
