"""When messages go out: claiming, pacing, retrying, receipts, and everything that has to be done by the clock."""
