"""Other int8 codes and sign bits, and the comparison of scripts/compare_schemes.py."""
