"""The other side of the wire: device firmware, kiosks and fleets with a known truth, by seed."""
