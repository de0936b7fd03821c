"""Smoothing over time: jitter out, latency hidden, nobody dragged across to anybody else."""
