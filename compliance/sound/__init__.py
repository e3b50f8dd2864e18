"""Recordings from the doors to the disk and back: two tracks on one clock, in encrypted chunks."""
