"""Measurements as Markdown tables and plots, for the terminal and the documents."""
