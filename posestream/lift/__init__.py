"""3D relative to the root, read from the network's maps."""
