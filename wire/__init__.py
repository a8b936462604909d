"""The contract between a terminal and the service: types and codec, standard library only."""
