"""Broker and database that come with the package: nothing else has to be installed."""
