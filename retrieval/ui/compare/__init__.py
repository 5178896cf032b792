"""The view Compare: one query in several ways, side by side."""
