"""Data, training and rendering: needs the ``train`` extra. Never imported by the live path."""
