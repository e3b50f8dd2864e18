"""How an older database becomes today's; run at start by `compliance.store.database`."""
