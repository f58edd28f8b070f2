"""What customers do with a message: clicks, opt-outs, answers, redeemed offers."""
