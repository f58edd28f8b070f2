"""What an owner must hear at once, and how it reaches them."""
