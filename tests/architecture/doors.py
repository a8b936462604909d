"""The doors: the only modules that may touch clock, chance, sockets, files, processes, tables."""

DOORS: dict[str, str] = {
    "agent/app.py": "the main loop: reads both clocks, waits, handles signals",
    "agent/equipment.py": "waits for the device loop's thread",
    "agent/inbox.py": "wakes the main loop from other threads",
    "agent/mqtt.py": "speaks to the broker in a thread of its own",
    "agent/program.py": "listens for the payment program",
    "agent/run_file.py": "keeps two small files beside the journal",
    "agent/self_test.py": "tries ports, files and the broker, and says what is wrong",
    "agent/store_sqlite.py": "the journal's file",
    "agent/devices/line.py": "one thread waits for ports and deadlines; reads the monotonic clock",
    "agent/devices/serial_port.py": "opens serial ports",
    "desk/app.py": "listens, reads the clocks",
    "desk/database.py": "holds connections",
    "incidents/app.py": "handles signals, configures logging",
    "incidents/store.py": "reads and writes the fold's tables",
    "incidents/store_ledger.py": "reads and writes incidents and cases",
    "incidents/worker.py": "reads the clock, holds connections",
}
