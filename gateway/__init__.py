"""Trunkline: one SMS service behind every protocol its customers already speak."""

__version__ = "0.1.0"
