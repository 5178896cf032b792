"""Measuring speed, recall and memory on this machine; `quick` is what the page's button runs."""
