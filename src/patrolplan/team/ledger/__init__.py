"""The ledger: doses promised when a week is handed out, and doses delivered."""
