"""One query searched in several ways, side by side."""
