"""SMPP sessions on asyncio's connections: what the server, the SMPP carrier and the simulator have in common."""
