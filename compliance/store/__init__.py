"""The store: its databases, keys, tables and the one thread. `compliance/vault.py` is its door."""
