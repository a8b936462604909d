"""The doors: the only modules that may touch clock, chance, sockets, files, processes, tables."""

DOORS: dict[str, str] = {
    "agent/devices/line.py": "one thread waits for ports and deadlines; reads the monotonic clock",
    "agent/devices/serial_port.py": "opens serial ports",
}
