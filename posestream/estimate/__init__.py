"""From a picture to joints: one interface, several engines, each imported only when chosen."""
