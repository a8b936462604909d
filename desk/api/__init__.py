"""The JSON API (contract, section 6): one module a noun, thin over `desk.queries`."""

from typing import Final

API: Final = "/api/v1"
"""Where every call stands; the probes stand at their very paths."""
