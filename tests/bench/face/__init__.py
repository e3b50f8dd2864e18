"""The face, measured on decoded pictures and sound: `make bench-face`."""
