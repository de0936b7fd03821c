"""Joint sets, the VRM/Unity humanoid, and rigs read from files."""
