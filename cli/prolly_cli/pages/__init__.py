"""Answers as pages: one HTML file each, that needs no network and asks nobody."""
