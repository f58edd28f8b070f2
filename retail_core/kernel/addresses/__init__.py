"""Where people are reached: phone numbers, e-mail addresses, senders."""
