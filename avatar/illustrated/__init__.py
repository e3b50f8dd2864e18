"""The illustrated face: a person drawn by our own code, the default face of a twin."""
