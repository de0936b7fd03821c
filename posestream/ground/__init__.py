"""Feet on the floor: contacts, locked feet, nobody in the ground."""
