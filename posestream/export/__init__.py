"""Motion files written from avatar frames."""
