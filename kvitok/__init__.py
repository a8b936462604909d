"""The command line: thin over the packages, and the embedded broker and database."""
