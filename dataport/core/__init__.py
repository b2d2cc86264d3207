"""Vocabulary shared by every layer: types, errors, paths, settings. Imports no other layer."""
