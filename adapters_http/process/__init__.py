"""The machine below: its clock, its logs, and what is taken out of them."""
