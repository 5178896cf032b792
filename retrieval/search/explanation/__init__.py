"""What happens inside of one query, step by step, as numbers."""
