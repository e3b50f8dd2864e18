"""The watermark: an inaudible, keyed mark in everything that the twin says, and finding it again."""
