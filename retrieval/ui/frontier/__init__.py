"""The frontier in words, as a chart, and as settings for other databases; nothing here needs Gradio."""
