"""The parts of scripts/benchmark.py, each measured in its own process."""
