"""The pages under `/console`: where the owner and reviewers see calls, consents and requests, and decide."""
