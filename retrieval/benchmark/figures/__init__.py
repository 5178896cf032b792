"""Reading what was measured and kept: missing or damaged figures are None, never an error."""
