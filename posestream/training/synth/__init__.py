"""Synthetic people: parametric bodies, clothes, motion, rooms and a renderer, with exact truth."""
