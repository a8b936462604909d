"""The fold, the rules, incidents and support cases."""
