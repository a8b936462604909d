"""Copies journals: MQTT to PostgreSQL, acknowledged after commit."""
