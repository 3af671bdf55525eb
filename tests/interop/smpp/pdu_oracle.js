// Reads and writes PDUs with the npm package smpp. Takes [{frame} or {command, options}, ...] as JSON from standard
// input; prints what it reads of each frame and the frame it writes of each command. Octets are {hex}.
const fs = require('fs');
const {PDU} = require('smpp');

const fromJson = (key, value) => value && typeof value.hex === 'string' ? Buffer.from(value.hex, 'hex') : value;
const toJson = (key, value) => value && value.type === 'Buffer' ? {hex: Buffer.from(value.data).toString('hex')} : value;

const answers = JSON.parse(fs.readFileSync(0, 'utf8'), fromJson).map(({frame, command, options}) =>
    frame ? {...new PDU(frame)} : new PDU(command, options).toBuffer());
console.log(JSON.stringify(answers, toJson));
