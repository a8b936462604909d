"""A customer's report finds its terminal and its transaction, by evidence that can be shown."""
