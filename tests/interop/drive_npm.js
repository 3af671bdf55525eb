// Calls the npm package `afilnet` as its users do. Reads {url, user, password, calls: [[name, ...args]]} as
// JSON from standard input; prints the replies in order as one JSON list.
const fs = require('fs');
const afilnet = require('afilnet');

const plan = JSON.parse(fs.readFileSync(0, 'utf8'));

function call([name, ...args]) {
    const [owner, method] = name.includes('.') ? name.split('.') : [null, name];
    const object = owner ? afilnet[owner] : afilnet;
    return new Promise((resolve) => object[method](...args, resolve));
}

(async () => {
    // The package hands its address on to `sms` and `user` when the credentials are set: so it comes first.
    afilnet.url = plan.url;
    afilnet.setConfig(plan.user, plan.password);
    const replies = [];
    for (const step of plan.calls) replies.push(await call(step));
    console.log(JSON.stringify(replies));
})();
