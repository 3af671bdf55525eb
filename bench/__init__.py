"""The benchmark: how fast and how small the gateway is, beside Kannel in the same run."""
