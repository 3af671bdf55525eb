// One call with the npm package `strong-soap`, from the WSDL; arguments, input and output as zeep_client.py's.
const fs = require('fs');
const {soap} = require('strong-soap');

const [wsdl, version, operation, action] = process.argv.slice(2);
const port = version === '1.1' ? 'SmsSoap11' : 'SmsSoap12';

// Values as texts; what is null left out.
function plain(value) {
    if (Array.isArray(value)) return value.map(plain);
    if (value instanceof Date) return value.toISOString();
    if (value === null || typeof value !== 'object') return String(value);
    const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
    return Object.fromEntries(members.map(([name, member]) => [name, plain(member)]));
}

function headers() {
    if (!action) return {};
    if (version === '1.1') return {SOAPAction: `"${action}"`};
    return {'Content-Type': `application/soap+xml; charset=utf-8; action="${action}"`};
}

function fault(problem) {
    const given = problem.root && problem.root.Envelope.Body.Fault;
    if (!given) throw problem;
    if (version === '1.1') return {fault: given.faultcode, text: given.faultstring};
    const text = given.Reason.Text;
    return {fault: given.Code.Value, text: typeof text === 'object' ? text.$value : text};
}

// Takes user and password out of the values where they do not go as elements.
function secure(client, values) {
    const credentials = process.env.CREDENTIALS;
    if (credentials === 'elements') return;
    const {user, password} = values;
    delete values.user;
    delete values.password;
    client.setSecurity(credentials === 'token'
        ? new soap.WSSecurity(user, password, {passwordType: 'PasswordText'})
        : new soap.BasicAuthSecurity(user, password));
}

soap.createClient(wsdl, {forceSoap12Headers: version === '1.2'}, (unreadable, client) => {
    if (unreadable) throw unreadable;
    const print = (reply) => console.log(JSON.stringify(reply));
    if (operation === 'operations') {
        print(Object.keys(client.describe().Trunkline[port]));
        return;
    }
    const words = fs.readFileSync(0, 'utf8').split('\0');
    const values = {};
    for (let i = 0; i + 1 < words.length; i += 2) values[words[i]] = words[i + 1];
    secure(client, values);
    const done = (problem, result) => print(problem ? fault(problem) : plain(result[`${operation}Result`]));
    client.Trunkline[port][operation](values, done, {}, headers());
});
