"""The files of a built index, each with the module that reads and writes it, and the manifest that describes them."""
