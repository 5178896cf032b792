"""How much precision a set of vectors needs: recall against bytes, measured on the vectors themselves."""
