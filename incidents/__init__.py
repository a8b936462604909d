"""Judges: folds journals into transactions, incidents and support cases."""
