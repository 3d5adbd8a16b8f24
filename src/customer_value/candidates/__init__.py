"""The models that may be champion, one file each, and the registry that lists them."""
