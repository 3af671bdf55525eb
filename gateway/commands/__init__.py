"""The commands, one file per noun; `gateway.cli` loads each when it is called."""
