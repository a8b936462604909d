"""The rules: literal tuples of pure functions."""
