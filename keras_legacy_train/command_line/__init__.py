"""Holds the commands of `keras-legacy-train`, one a module.

May import every other room; no room imports it.
"""
