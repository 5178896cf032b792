"""What is written in C: compiled when the project is installed, and done without where it could not be."""
