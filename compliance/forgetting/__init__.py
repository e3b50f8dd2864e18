"""The parts of erasing: what to look for and where, store by store, and what stays written about it."""
