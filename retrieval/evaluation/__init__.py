"""How good a search is: recall against exact float32, quality by human judgment, and what vectors cost."""
