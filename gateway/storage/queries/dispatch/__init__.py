"""What dispatch reads and writes: from a message that waits on disk to its final state.

These queries serve the gateway itself, over all accounts; customers' own are scoped in the modules beside
this package. Each function runs within a write transaction of its caller, may be run again if that
transaction failed, and takes `now` in UTC microseconds.
"""
