// The npm package `smpp` as a customer: steps in as JSON on standard input, their results out as JSON.
const smpp = require("smpp");

const plan = JSON.parse(require("fs").readFileSync(0, "utf8"));
const delivered = [];
let waiting = null;
let closed = false;

const session = smpp.connect({ host: plan.host, port: plan.port });
session.on("close", () => { closed = true; if (waiting) waiting(); });
session.on("error", (error) => { if (error.code !== "ECONNRESET" && error.code !== "EPIPE") console.error(String(error)); });
session.on("deliver_sm", (pdu) => {
  delivered.push(shown(pdu));
  session.send(pdu.response());
  if (waiting) waiting();
});

function shown(pdu) {
  const content = pdu.short_message;
  const message = Buffer.isBuffer(content.message) ? content.message.toString("latin1") : content.message;
  return {
    source: pdu.source_addr, destination: pdu.destination_addr, esm_class: pdu.esm_class,
    data_coding: pdu.data_coding, text: message, parts: content.udh ? content.udh.map((ie) => ie.toString("hex")) : [],
    receipted_message_id: pdu.receipted_message_id ?? null, message_state: pdu.message_state ?? null,
  };
}

// A request and its response; null where the link ended instead.
function ask(command, fields) {
  return new Promise((resolve) => {
    session.once("close", () => resolve(null));
    if (closed || !session[command](fields, (pdu) => resolve(pdu))) resolve(null);
  });
}

function fieldsOf(step) {
  const fields = { ...step.fields };
  if (step.text !== undefined) fields.short_message = step.text;
  if (step.hex !== undefined) {
    const octets = Buffer.from(step.hex, "hex");
    if (!(fields.esm_class & 0x40)) fields.short_message = octets;
    else fields.short_message = { udh: octets.subarray(0, octets[0] + 1), message: octets.subarray(octets[0] + 1) };
  }
  if (step.payload !== undefined) fields.message_payload = step.payload;
  return fields;
}

async function submit(step) {
  const pdu = await ask("submit_sm", fieldsOf(step));
  return pdu && { status: pdu.command_status, message_id: pdu.message_id ?? "" };
}

const steps = {
  bind: async (step) => {
    const { mode, ...credentials } = step;
    delete credentials.do;
    const pdu = await ask(`bind_${mode}`, credentials);
    return pdu && { status: pdu.command_status, system_id: pdu.system_id ?? "" };
  },
  submit,
  // All at once: what each was answered, null where the link ended first.
  flood: (step) => Promise.all(step.messages.map(submit)),
  // What was delivered until there are `count`, or until `seconds` have passed.
  await: async (step) => {
    const deadline = Date.now() + step.seconds * 1000;
    while (delivered.length < step.count && Date.now() < deadline && !closed) {
      await new Promise((resolve) => { waiting = resolve; setTimeout(resolve, deadline - Date.now()); });
    }
    waiting = null;
    return delivered.splice(0);
  },
  multi: async (step) => {
    const pdu = await ask("submit_multi", { ...step.fields, short_message: step.text });
    return pdu && { status: pdu.command_status, message_id: pdu.message_id, unsuccess_sme: pdu.unsuccess_sme ?? [] };
  },
  query: async (step) => {
    const pdu = await ask("query_sm", step.fields);
    return pdu && { status: pdu.command_status, message_id: pdu.message_id, message_state: pdu.message_state };
  },
  cancel: async (step) => status(await ask("cancel_sm", step.fields)),
  replace: async (step) => status(await ask("replace_sm", step.fields)),
  data: async (step) => status(await ask("data_sm", step.fields)),
  enquire: async () => status(await ask("enquire_link", {})),
  unbind: async () => status(await ask("unbind", {})),
};

function status(pdu) {
  return pdu && { status: pdu.command_status, command: pdu.command };
}

async function main() {
  await new Promise((resolve, reject) => { session.on("connect", resolve); session.on("close", resolve); });
  const results = [];
  for (const step of plan.steps) results.push(await steps[step.do](step));
  process.stdout.write(JSON.stringify(results));
  session.destroy();
  process.exit(0);
}

main().catch((error) => { console.error(error); process.exit(1); });
