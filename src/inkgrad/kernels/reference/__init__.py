"""The specification of every kernel: plain, readable NumPy."""
