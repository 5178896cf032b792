/* Raised here and in `library.py` whenever what a function takes or does changes. */
int native_version(void) { return 1; }
