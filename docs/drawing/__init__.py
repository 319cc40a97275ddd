"""Draws the pictures of the documentation from what the commands print today."""
