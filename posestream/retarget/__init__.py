"""From joints in the world to normalised rotations of the humanoid, with limits and memory."""
