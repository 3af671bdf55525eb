"""How a message goes out: one file per kind of carrier, found by `registry`."""
