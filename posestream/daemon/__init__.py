"""The running program: threads, signals, status and control round the pipeline."""
