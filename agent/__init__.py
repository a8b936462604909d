"""The process on a kiosk: devices, journal, uplink; it reports facts and judges nothing."""

from typing import Final

VERSION: Final = "0.1.0"
"""What the agent says it is; equal to the distribution's (reading metadata costs a slow start)."""
