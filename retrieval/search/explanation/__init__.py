"""What happens inside one query, step by step, as numbers."""
