"""Writing rows out of the store: selection, file formats, and where the result goes."""
