"""How fast the package is, and in how much memory: make bench, make bench-large."""
