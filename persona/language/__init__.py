"""What the ranking knows of each language, as data; `persona.words` reads it."""
