"""Training and reading on many machines."""
