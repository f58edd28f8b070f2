"""Message texts with placeholders, and how many SMS parts they become."""
