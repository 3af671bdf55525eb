"""The SMPP front end: customers bind to us. A process of its own serves it; nothing is loaded from here."""
