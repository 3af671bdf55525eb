"""The schema's history. Each revision builds on the one before; there is no way down but a backup."""
