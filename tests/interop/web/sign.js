// Signs a token with the npm package jsonwebtoken. Reads {key, kid, algorithm, claims} as JSON from standard input, the
// key as PEM; prints the token as JSON, or {refused} with the package's own words.
const fs = require('fs');
const jwt = require('jsonwebtoken');

const {key, kid, algorithm, claims} = JSON.parse(fs.readFileSync(0, 'utf8'));
try {
    console.log(JSON.stringify({token: jwt.sign(claims, key, {algorithm, keyid: kid})}));
} catch (problem) {
    console.log(JSON.stringify({refused: problem.message}));
}
