"""Who somebody is: passwords, tokens, keys, cookies."""
