"""What proves that nothing was changed: the ledger's lines, tree and heads, signatures, and signed receipts."""
