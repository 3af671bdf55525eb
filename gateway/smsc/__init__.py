"""An SMSC to test against: it takes what it is sent, reports by the number's last digits, and errs on demand."""
