"""What people look up: one module a noun, SQL beside the function that runs it, no web in it.

Every function takes an open `Database` (an asyncpg pool or connection) and returns frozen rows;
the field names are those of the API (contract, section 6). Lists come as a `Page`, newest first,
and go on after a key.
"""
