"""Shipped test support: the store suite, generators, plain models.

May import every room; nothing imports it.
"""
