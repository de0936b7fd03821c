"""Rotations, rigid transforms, cameras and named frames. numpy only."""
