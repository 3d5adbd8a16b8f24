"""Held-out accuracy of the whole package, beside its peers: make bench-accuracy."""
