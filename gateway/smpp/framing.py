"""A stream cut into PDUs by their command_length (SMPP 3.4, 3.2)."""

from gateway.smpp.constants import HEADER_LENGTH, CommandStatus

# The longest PDU that is taken: a message_payload of 65,535 octets, the most a TLV holds, and the fields of any PDU
# beside it but a submit_multi to hundreds. No text needs a quarter of it, and it bounds what a peer can make us keep.
DEFAULT_LIMIT = 70_000

_LENGTH_WIDTH = 4


class FramingError(ValueError):
    """A command_length that no PDU has, after which nothing of the stream can be understood.

    `sequence_number` is the offending PDU's, 0 if its header did not arrive; `command_status` is for the
    generic_nack (4.3.1); `frames` are the whole PDUs that came before it in the same octets.
    """

    def __init__(self, sequence_number: int, command_status: int, reason: str, frames: list[bytes]) -> None:
        super().__init__(reason)
        self.sequence_number = sequence_number
        self.command_status = command_status
        self.reason = reason
        self.frames = frames


class Framer:
    """Collects octets until they are whole PDUs. Holds at most one unfinished PDU, of at most `limit` octets."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._buffer = bytearray()
        # How many octets the buffer needs before it is worth a look: so a PDU in small pieces is copied once.
        self._needed = _LENGTH_WIDTH
        self._broken = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived; give the PDUs that are whole now, header and all, in order.

        Raises FramingError for a command_length under 16 or over the limit; after that every feed gives nothing.
        """
        if self._broken:
            return []
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return []
            data = bytes(self._buffer)
            self._buffer.clear()
        frames: list[bytes] = []
        start, size = 0, len(data)
        while size - start >= _LENGTH_WIDTH:
            length = self._length(data, start, frames)
            end = start + length
            if end > size:
                self._needed = length
                break
            frames.append(data[start:end])
            start = end
        else:
            self._needed = _LENGTH_WIDTH
        if start < size:
            self._buffer += data[start:]
        return frames

    def _length(self, data: bytes, start: int, frames: list[bytes]) -> int:
        length = int.from_bytes(data[start : start + _LENGTH_WIDTH], "big")
        if HEADER_LENGTH <= length <= self._limit:
            return length
        header = data[start : start + HEADER_LENGTH]
        if length > self._limit and len(header) < HEADER_LENGTH:
            # Its sequence_number is still to come, and a generic_nack needs it.
            return HEADER_LENGTH
        self._broken = True
        sequence_number = int.from_bytes(header[12:], "big") if len(header) == HEADER_LENGTH else 0
        if length > self._limit:
            reason = f"command_length is {length}, more than {self._limit}"
        else:
            reason = f"command_length is {length}, less than {HEADER_LENGTH}"
        raise FramingError(sequence_number, CommandStatus.ESME_RINVCMDLEN, reason, frames)
