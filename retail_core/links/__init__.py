"""Short links in messages, and the codes that stand behind them."""
