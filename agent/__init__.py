"""The process on a kiosk: devices, journal, uplink; it reports facts and judges nothing."""
