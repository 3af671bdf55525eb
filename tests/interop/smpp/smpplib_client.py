"""The PyPI package smpplib as a customer: steps in as JSON on standard input, their results out as JSON."""

import json
import select
import sys
import time
from typing import Any

from smpplib import client, consts, exceptions, gsm, smpp


class Driver:
    """One connection and what came over it."""

    def __init__(self, host: str, port: int) -> None:
        self.delivered: list[dict[str, Any]] = []
        self.answers: dict[int, Any] = {}
        self.closed = False
        self.client = client.Client(host, port, allow_unknown_opt_params=True, timeout=30)
        self.client.set_message_received_handler(self.received)
        self.client.connect()

    def received(self, pdu: Any) -> int:
        """A deliver_sm; smpplib answers it with what this returns."""
        self.delivered.append(
            {
                "source": pdu.source_addr.decode(),
                "destination": pdu.destination_addr.decode(),
                "esm_class": pdu.esm_class,
                "data_coding": pdu.data_coding,
                "text": text_of(pdu),
                "parts": [],
                "receipted_message_id": text(pdu.receipted_message_id),
                "message_state": pdu.message_state,
            }
        )
        return int(consts.SMPP_ESME_ROK)

    def turn(self, seconds: float) -> bool:
        """Handle one PDU; False where none came in time, or the link ended."""
        if self.closed or not select.select([self.client._socket], [], [], max(0, seconds))[0]:
            return False
        try:
            pdu = self.client.read_pdu()
        except exceptions.ConnectionError:
            self.closed = True
            return False
        if pdu.command == "deliver_sm":
            self.client._message_received(pdu)
        elif pdu.command == "enquire_link":
            self.client._enquire_link_received(pdu)
        else:
            self.answers[pdu.sequence] = pdu
        return True

    def send(self, command: str, **fields: Any) -> int:
        """Send a request; its sequence number."""
        pdu = smpp.make_pdu(command, client=self.client, **fields)
        # Not by send_pdu, which refuses what the server is to refuse.
        self.client._socket.sendall(pdu.generate())
        return int(pdu.sequence)

    def answer(self, sequence: int, seconds: float = 30) -> Any:
        """The response to a request, or None where the link ended."""
        deadline = time.monotonic() + seconds
        while sequence not in self.answers and not self.closed and time.monotonic() < deadline:
            self.turn(deadline - time.monotonic())
        return self.answers.pop(sequence, None)

    def bind(self, step: dict[str, Any]) -> dict[str, Any]:
        credentials = {name: value for name, value in step.items() if name not in ("do", "mode")}
        try:
            pdu = getattr(self.client, f"bind_{step['mode']}")(**credentials)
        except exceptions.PDUError as error:
            return {"status": error.args[1], "system_id": ""}
        return {"status": 0, "system_id": text(pdu.system_id)}

    def write(self, step: dict[str, Any]) -> list[int]:
        """Send what a submit step says; the sequence numbers, one for each part."""
        fields = dict(step.get("fields", {}))
        if "hex" in step:
            return [self.send("submit_sm", **fields, short_message=bytes.fromhex(step["hex"]))]
        if "payload" in step:
            return [self.send("submit_sm", **fields, short_message=b"", message_payload=step["payload"].encode())]
        parts, coding, esm_class = gsm.make_parts(step["text"])
        fields |= {"data_coding": coding, "esm_class": esm_class}
        return [self.send("submit_sm", **fields, short_message=part) for part in parts]

    def submit(self, step: dict[str, Any]) -> Any:
        answers = [shown(self.answer(sequence)) for sequence in self.write(step)]
        return answers[0] if len(answers) == 1 else answers

    def flood(self, step: dict[str, Any]) -> list[Any]:
        sequences: list[int] = []
        for message in step["messages"]:
            try:
                sequences += self.write(message)
            except OSError:
                self.closed = True
                break
        answers = [shown(self.answer(sequence)) for sequence in sequences]
        return answers + [None] * (len(step["messages"]) - len(answers))

    def wait(self, step: dict[str, Any]) -> list[dict[str, Any]]:
        deadline = time.monotonic() + step["seconds"]
        while len(self.delivered) < step["count"] and time.monotonic() < deadline and not self.closed:
            self.turn(deadline - time.monotonic())
        found, self.delivered = self.delivered, []
        return found

    def query(self, step: dict[str, Any]) -> Any:
        pdu = self.answer(self.send("query_sm", **step["fields"]))
        state = pdu and pdu.message_state
        return pdu and {"status": pdu.status, "message_id": text(pdu.message_id), "message_state": state}

    def cancel(self, step: dict[str, Any]) -> Any:
        return self.answer(self.send("cancel_sm", **step["fields"]))

    def multi(self, step: dict[str, Any]) -> Any:
        return self.answer(self.send("submit_multi", **step["fields"], short_message=step["text"].encode()))

    def replace(self, step: dict[str, Any]) -> Any:
        return self.answer(self.send("replace_sm", **step["fields"]))

    def data(self, step: dict[str, Any]) -> Any:
        return self.answer(self.send("data_sm", **step["fields"]))

    def enquire(self, _: dict[str, Any]) -> Any:
        pdu = self.answer(self.send("enquire_link"))
        return pdu and {"status": pdu.status, "command": pdu.command}

    def unbind(self, _: dict[str, Any]) -> Any:
        pdu = self.answer(self.send("unbind"))
        return pdu and {"status": pdu.status, "command": pdu.command}


def text(value: Any) -> str | None:
    """A C-octet string as smpplib gives it."""
    return value.rstrip(b"\0").decode("latin-1") if isinstance(value, bytes) else value


def text_of(pdu: Any) -> str:
    """The text of a deliver_sm, by its data_coding."""
    octets = pdu.short_message or b""
    return (
        octets.decode("utf-16-be") if pdu.data_coding == consts.SMPP_ENCODING_ISO10646 else octets.decode("latin-1")
    )


def shown(pdu: Any) -> Any:
    """The response to a submit_sm."""
    return pdu and {"status": pdu.status, "message_id": text(getattr(pdu, "message_id", None)) or ""}


def main() -> None:
    """Run the plan."""
    plan = json.load(sys.stdin)
    driver = Driver(plan["host"], plan["port"])
    steps = {"await": driver.wait}
    results = [(steps.get(step["do"]) or getattr(driver, step["do"]))(step) for step in plan["steps"]]
    json.dump(results, sys.stdout)
    sys.stdout.flush()
    driver.client._socket.close()


main()
