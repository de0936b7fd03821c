"""Measures: against people counted by hand, and of speed."""
