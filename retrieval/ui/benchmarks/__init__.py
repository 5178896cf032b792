"""The Benchmarks view: what the article claims, what was measured, what it costs. Pure formatting."""
