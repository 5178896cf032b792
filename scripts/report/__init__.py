"""What was measured as tables of Markdown and plots, for the terminal and the documents."""
