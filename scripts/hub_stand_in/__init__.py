"""A small server that answers like the Hugging Face hub, for tests and rehearsals."""
