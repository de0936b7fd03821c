"""Identity: who in this frame is who in the last."""
