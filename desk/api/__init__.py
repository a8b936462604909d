"""The JSON API (contract, section 6): one module a noun, thin over `desk.queries`."""
