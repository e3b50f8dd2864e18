"""Where a file comes from: the twin's own authority, and the manifests that files carry."""
