"""Building an index: from a corpus to vectors, sign bits, int8 codes and measured search settings."""
