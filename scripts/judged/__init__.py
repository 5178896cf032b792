"""Collections with human judgments, and the figures of scripts/evaluate.py."""
