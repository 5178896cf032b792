"""Ready-made settings for other vector databases, with the numbers of a measured point filled in."""
