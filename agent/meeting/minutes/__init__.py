"""What a meeting comes down to for the owner: pure rules over its transcript, a model where there is one."""
