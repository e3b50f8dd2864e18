"""A commented example of the owner's files, written by `twin init`."""
