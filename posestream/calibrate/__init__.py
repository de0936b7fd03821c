"""Calibration: the camera's lens, its place above the floor, people's proportions.

Guides take one picture or estimate at a time and say in plain words what is still missing, so
that a terminal and a browser can both lead through them. What comes out is stored per camera
and person (``stored``) and taken by every later run (``applying``).
"""
