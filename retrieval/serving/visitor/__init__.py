"""Indexes of visitors' own texts: the queue, the limits, and the child process that builds."""
