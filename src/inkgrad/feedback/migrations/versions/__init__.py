"""One step each; the numbers are the order."""
