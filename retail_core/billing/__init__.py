"""Plans, purchases and the invoices behind a wallet's credits."""
