"""`make wsdl`: write the contract into a folder, unless that would break deployed clients."""

import sys
from pathlib import Path

from gateway.frontends.soap.generator import document
from gateway.frontends.soap.generator.record import Record, breaks
from gateway.operations.catalogue import CATALOGUE


def main(folder: Path) -> int:
    """Write `sms.wsdl`, `sms.xsd` and the record into the folder; the process's status."""
    published = Record.read(folder)
    raw = document.generated(published.order)
    schema = document.xsd(raw)
    now = Record.of(schema)
    found = breaks(published, now, (method for _, method in CATALOGUE))
    if found:
        sys.stderr.write("".join(f"wsdl: {sentence}\n" for sentence in found))
        sys.stderr.write("wsdl: nothing was written; a contract that breaks clients needs a new VERSION\n")
        return 1
    (folder / "sms.wsdl").write_bytes(document.wsdl(raw))
    (folder / "sms.xsd").write_bytes(schema)
    published.extended(now).write(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
