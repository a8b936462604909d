"""The doors: the only modules that may touch clock, chance, sockets, files, processes, tables."""

DOORS: dict[str, str] = {}
