"""Functions of the features that candidates learn, each one that can be written down."""
