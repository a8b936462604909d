"""The doors: the only modules that may touch clock, chance, sockets, files, processes, tables."""

DOORS: dict[str, str] = {
    "agent/devices/line.py": "one thread waits for ports and deadlines; reads the monotonic clock",
    "agent/devices/serial_port.py": "opens serial ports",
    "incidents/app.py": "handles signals, configures logging",
    "incidents/store.py": "reads and writes the fold's tables",
    "incidents/store_ledger.py": "reads and writes incidents and cases",
    "incidents/worker.py": "reads the clock, holds connections",
}
