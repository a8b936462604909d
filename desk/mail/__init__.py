"""Reading mail: raw bytes to a letter, its passages, its files, what is suspicious, its case."""
