"""Reports: from what a customer sent to the case of the transaction that it is about."""
