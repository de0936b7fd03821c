"""Hands and face of a single performer: points in, finger rotations and expressions out."""
