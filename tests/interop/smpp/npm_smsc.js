// The npm package `smpp` as a carrier: an SMSC that accepts everything and sends receipts in the style it is told.
// Prints its port, then one JSON line for each submit_sm; "FROM TO TEXT" lines on standard input go out as deliver_sm.
const smpp = require("smpp");
const readline = require("readline");

const plan = JSON.parse(process.argv[2]);
const sessions = new Set();
// No two runs use the same numbers, and all have a letter where they are hexadecimal.
let last = 0x1a000000 + (process.pid & 0x7fff) * 0x100;
const refusals = [...(plan.refuse || [])];

const styles = {
  // What submit_sm_resp names the message, and how the receipt names it.
  "as is": [(id) => id.toString(16), (id) => id.toString(16)],
  "hex, then decimal": [(id) => id.toString(16), (id) => id.toString(10)],
  "decimal, then hex": [(id) => id.toString(10), (id) => id.toString(16)],
  "zeros stripped": [(id) => id.toString(10).padStart(16, "0"), (id) => id.toString(10)],
  "other case": [(id) => id.toString(16).toLowerCase(), (id) => id.toString(16).toUpperCase()],
};
const [answered, receipted] = styles[plan.style || "as is"];

const server = smpp.createServer((session) => {
  const bound = (pdu) => {
    const right = pdu.system_id === plan.system_id && pdu.password === plan.password;
    session.send(pdu.response({ command_status: right ? 0 : smpp.ESME_RINVPASWD, system_id: "NPM" }));
    if (right && pdu.command !== "bind_transmitter") sessions.add(session);
  };
  for (const mode of ["transceiver", "transmitter", "receiver"]) session.on(`bind_${mode}`, bound);
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => { session.send(pdu.response()); session.close(); });
  session.on("submit_sm", (pdu) => taken(session, pdu));
  session.on("deliver_sm_resp", (pdu) => process.stdout.write(JSON.stringify({ acknowledged: pdu.command_status }) + "\n"));
  session.on("close", () => sessions.delete(session));
  session.on("error", () => sessions.delete(session));
});

function taken(session, pdu) {
  const refusal = refusals.shift();
  if (refusal) {
    session.send(pdu.response({ command_status: refusal }));
    return;
  }
  const id = ++last;
  const { udh, message } = pdu.short_message;
  process.stdout.write(JSON.stringify({
    source: pdu.source_addr, source_ton: pdu.source_addr_ton, destination: pdu.destination_addr,
    data_coding: pdu.data_coding, esm_class: pdu.esm_class, registered_delivery: pdu.registered_delivery,
    udh: udh ? udh.map((ie) => ie.toString("hex")) : [], payload: pdu.message_payload ? pdu.message_payload.message : null,
    text: Buffer.isBuffer(message) ? message.toString("latin1") : message,
    sar: [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum],
  }) + "\n");
  const receipt = () => setTimeout(() => reported(id, pdu), plan.early ? 0 : 50);
  if (plan.early) {
    receipt();
    setTimeout(() => session.send(pdu.response({ message_id: answered(id) })), 200);
  } else session.send(pdu.response({ message_id: answered(id) }), receipt);
}

function reported(id, pdu) {
  const name = receipted(id);
  const text = `id:${name} sub:001 dlvrd:001 submit date:2611230600 done date:2611230601 stat:DELIVRD err:000 text:`;
  const fields = {
    source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
    short_message: plan.receipts === "TLVs alone" ? "" : text,
  };
  if (plan.receipts !== "text alone") Object.assign(fields, { receipted_message_id: name, message_state: 2 });
  for (const session of [...sessions].slice(0, 1)) {
    for (let copy = 0; copy < (plan.copies || 1); copy++) session.deliver_sm(fields);
  }
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const [from, to, ...words] = line.split(" ");
  for (const session of [...sessions].slice(0, 1)) {
    session.deliver_sm({ source_addr: from, destination_addr: to, short_message: words.join(" ") });
  }
}).on("close", () => process.exit(0));

server.listen(0, "127.0.0.1", () => process.stdout.write(JSON.stringify({ port: server.address().port }) + "\n"));
