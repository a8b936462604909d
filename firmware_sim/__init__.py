"""The other side: device firmware at byte level, kiosks and fleets with a known truth."""
