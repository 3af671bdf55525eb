"""Calls the PyPI package `afilnet` as its users do.

Reads {calls: [[name, ...args]]} as JSON from standard input; prints the replies in order as one JSON list.
"""

import json
import sys

import afilnet

replies = [getattr(afilnet, name)(*args) for name, *args in json.load(sys.stdin)["calls"]]
json.dump(replies, sys.stdout)
