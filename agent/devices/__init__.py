"""Device drivers as machines without I/O, and the one loop that joins them to serial lines."""
