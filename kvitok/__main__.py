"""Lets `python -m kvitok` do what the command `kvitok` does."""

from kvitok.cli import main

main()
