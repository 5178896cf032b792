"""Reading saved measurements: missing or damaged figures are None, never an error."""
