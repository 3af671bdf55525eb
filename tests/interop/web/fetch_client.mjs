// One HTTP request with node's fetch; input and output as requests_client.py's.
import {readFileSync} from 'node:fs';

const plan = JSON.parse(readFileSync(0, 'utf8'));
const headers = {};
if (plan.basic) headers.Authorization = `Basic ${Buffer.from(plan.basic.join(':')).toString('base64')}`;
if (plan.bearer) headers.Authorization = `Bearer ${plan.bearer}`;
const answer = await fetch(plan.url, {method: 'POST', headers, body: new URLSearchParams(plan.form)});
const challenge = answer.headers.get('www-authenticate') ?? '';
console.log(JSON.stringify({status: answer.status, challenge, reply: await answer.json()}));
