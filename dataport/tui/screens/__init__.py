"""One screen per section of the app."""
