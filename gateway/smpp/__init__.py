"""SMPP 3.4 without IO: bytes in, PDUs and events out (Short Message Peer to Peer Protocol, version 3.4, issue 1.2).

Nothing here opens a socket, reads a clock or imports another part of the gateway. `constants` names the numbers of
the standard; `pdu` has one dataclass for each PDU; `codec` turns them into octets and back; `framing` cuts a
stream into PDUs; `times` reads and writes the standard's times, `udh` the headers of long messages, `receipts` what
became of a message; `session` is one side of a connection, by the tables of `states` and the clocks of `timers`.
"""
