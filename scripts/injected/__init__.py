"""Faults that are injected for real, and what comes of them."""
