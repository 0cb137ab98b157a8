"""Training: steps, loops, checkpoints, metrics and reports."""
