"""How good a search is: recall against exact float32, judged quality, and what vectors cost."""
