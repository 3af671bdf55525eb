"""How the roles run as processes: addresses, the tie to the supervisor, the HTTP server, the first start."""
