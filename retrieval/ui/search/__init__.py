"""The view Search: results, latency and memory as HTML."""
