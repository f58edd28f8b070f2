"""What every room shares: ids, time, phone numbers, money, errors, transactions and jobs."""
