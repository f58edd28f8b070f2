"""The wallet of a shop: a double-entry ledger of SMS credits."""
