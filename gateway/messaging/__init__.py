"""SMS itself, free of protocols and storage: text, numbers, senders, templates, routes, prices, states."""
