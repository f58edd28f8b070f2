"""The machine below a process: its clock, its logs, and what is taken out of them."""
