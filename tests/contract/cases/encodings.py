"""Requests whose bytes are not what they should be. The credentials and the operation stand in the query before."""

import json
from dataclasses import dataclass

from tests.support.door import BOUNDARY, FORM, JSON, MULTIPART, form, multipart, part

PARAM = "INCORRECT_PARAM"
MAX_BODY = 1_048_576
OVER = f"The body is over {MAX_BODY} bytes, the limit."
MALFORMED = "The multipart body is malformed: its parts do not follow RFC 7578."
TYPES = f"The body's Content-Type must be {FORM}, multipart/form-data or {JSON}."
NOT_TEXT = "is not valid UTF-8 text without NUL."
NO_OBJECT = "The JSON of the body must be an object whose members are the parameters."
NESTED = "must be a text or a number, not an object or an array."

REST = {"from": "Shop", "to": "34600000001"}
END = f"--{BOUNDARY}--\r\n".encode()


@dataclass(frozen=True)
class Case:
    """`query` and `content` come on top of a good call of `operation`, whose `detail` is the reply's."""

    label: str
    detail: str
    query: bytes = b""
    content: bytes | None = None
    content_type: str | None = None
    operation: str = "sms.sendsms"

    def __str__(self) -> str:
        return self.label


def query(label: str, raw: bytes, detail: str) -> Case:
    return Case(label, detail, form(REST) + b"&" + raw)


def body(label: str, content: bytes, content_type: str | None, detail: str) -> Case:
    return Case(label, detail, form(REST), content, content_type)


TEXT = [
    query("invalid UTF-8, escaped", b"sms=a%ffb", f"sms {NOT_TEXT}"),
    query("invalid UTF-8, raw", b"sms=a\xffb", f"sms {NOT_TEXT}"),
    query("Latin-1", b"sms=a%f1o", f"sms {NOT_TEXT}"),
    query("UTF-8 cut short", b"sms=a%e2%82", f"sms {NOT_TEXT}"),
    query("overlong UTF-8", b"sms=%c0%af", f"sms {NOT_TEXT}"),
    query("a lone surrogate in UTF-8", b"sms=%ed%a0%80", f"sms {NOT_TEXT}"),
    query("a pair of surrogates in UTF-8", b"sms=%ed%a0%bd%ed%b8%80", f"sms {NOT_TEXT}"),
    query("beyond Unicode", b"sms=%f4%90%80%80", f"sms {NOT_TEXT}"),
    query("NUL", b"sms=a%00b", f"sms {NOT_TEXT}"),
    query("NUL in another parameter", b"sms=a&note=%00", f"note {NOT_TEXT}"),
    query("NUL in a name", b"sms=a&a%00=1", f"The name a\ufffd {NOT_TEXT}"),
    body("form, invalid UTF-8", b"sms=a%ffb", FORM, f"sms {NOT_TEXT}"),
    body("form, raw invalid UTF-8", b"sms=a\xffb", FORM, f"sms {NOT_TEXT}"),
    body("form, NUL", b"sms=a\0b", FORM, f"sms {NOT_TEXT}"),
    body("JSON, a lone high surrogate", rb'{"sms":"a\ud800b"}', JSON, f"sms {NOT_TEXT}"),
    body("JSON, a lone low surrogate", rb'{"sms":"a\udc00b"}', JSON, f"sms {NOT_TEXT}"),
    body("JSON, surrogates the wrong way round", rb'{"sms":"\udc00\ud800"}', JSON, f"sms {NOT_TEXT}"),
    body("JSON, a surrogate in a name", rb'{"sms":"a","\ud800":"1"}', JSON, f"The name \ufffd {NOT_TEXT}"),
    body("JSON, NUL", rb'{"sms":"a\u0000b"}', JSON, f"sms {NOT_TEXT}"),
    body("JSON, invalid UTF-8", b'{"sms":"a\xffb"}', JSON, f"sms {NOT_TEXT}"),
    body("multipart, invalid UTF-8", part("sms", b"a\xffb") + END, MULTIPART, f"sms {NOT_TEXT}"),
    body("multipart, NUL", part("sms", b"a\0b") + END, MULTIPART, f"sms {NOT_TEXT}"),
]

JSON_BODIES = [
    body("JSON, an object within", b'{"sms":{"text":"a"}}', JSON, f"sms {NESTED}"),
    body("JSON, an array within", b'{"sms":["a"]}', JSON, f"sms {NESTED}"),
    body("JSON, an unknown parameter nested", b'{"sms":"a","meta":{}}', JSON, f"meta {NESTED}"),
    body("JSON, an array", b'["a"]', JSON, NO_OBJECT),
    body("JSON, a text", b'"a"', JSON, NO_OBJECT),
    body("JSON, null", b"null", JSON, NO_OBJECT),
    body("JSON, NaN", b'{"sms":NaN}', JSON, "The body is not JSON: it has no NaN."),
    body("JSON, cut short", b'{"sms":', JSON, "The body is not JSON: expecting value at line 1, column 8."),
    body("JSON, two values", b"{} {}", JSON, "The body is not JSON: extra data at line 1, column 4."),
    body("JSON, deep", b'{"sms":' + b"[" * 100_000, JSON, "The JSON of the body is nested too deep."),
    body("JSON, UTF-16", '{"sms":"a"}'.encode("utf-16"), JSON, "The body is not JSON: expecting value at line 1, "
         "column 1."),
]  # fmt: skip

MULTIPART_BODIES = [
    body("multipart, no end", part("sms", b"a"), MULTIPART, MALFORMED),
    body("multipart, cut in a head", f'--{BOUNDARY}\r\nContent-Dispo'.encode(), MULTIPART, MALFORMED),
    body("multipart, another boundary", part("sms", b"a") + END, "multipart/form-data; boundary=other", MALFORMED),
    body("multipart, no part", b"sms=a", MULTIPART, MALFORMED),
    body("multipart, a part without a name", f"--{BOUNDARY}\r\n\r\na\r\n".encode() + END, MULTIPART, MALFORMED),
    body("multipart, no boundary", part("sms", b"a") + END, "multipart/form-data",
         "The Content-Type multipart/form-data has no boundary."),
    body("multipart, an endless boundary", b"x", f"multipart/form-data; boundary={'b' * 201}",
         "The Content-Type multipart/form-data has no boundary."),
    body("multipart, a file", part("sms", b"a", '; filename="a.txt"') + END, MULTIPART,
         "sms is a file: parameters are plain fields."),
    body("multipart, 1,100 parts", multipart({f"p{n}": "1" for n in range(1100)}), MULTIPART,
         "A call has at most 200 parameters."),
]  # fmt: skip

BODIES = [
    body("form over the limit", b"sms=" + b"a" * MAX_BODY, FORM, OVER),
    body("JSON over the limit", json.dumps({"sms": "a" * MAX_BODY}).encode(), JSON, OVER),
    body("multipart over the limit", multipart({"sms": "a" * MAX_BODY}), MULTIPART, OVER),
    body("form of 20 times the limit", b"sms=" + b"a" * 20 * MAX_BODY, FORM, OVER),
    body("of another type", b"sms=a", "text/plain", TYPES),
    body("of another type in vain", b'{"sms":"a"}', "application/x-json", TYPES),
    body("XML", b"<sms>a</sms>", "text/xml", TYPES),
    body("JSON without a type", b'{"sms":"a"}', None, TYPES),
    body("form as JSON", b"sms=a", JSON, "The body is not JSON: expecting value at line 1, column 1."),
    body("201 parameters", form({f"p{n}": "1" for n in range(201)}), FORM, "A call has at most 200 parameters."),
    query("201 parameters in the query", form({f"p{n}": "1" for n in range(201)}),
          "A call has at most 200 parameters."),
]  # fmt: skip


def twice(name: str) -> str:
    return f"{name} is given twice with different values."


REPEATED = [
    query("twice in the query", b"sms=a&sms=b", twice("sms")),
    body("in query and form", b"sms=a&from=Other", FORM, twice("from")),
    body("in query and JSON", b'{"sms":"a","to":34600000002}', JSON, twice("to")),
    body("in query and multipart", part("sms", b"a") + part("from", b"Other") + END, MULTIPART, twice("from")),
    body("twice in a form", b"sms=a&sms=b", FORM, twice("sms")),
    body("twice in JSON", b'{"sms":"a","sms":"b"}', JSON, twice("sms")),
    query("an unknown one twice", b"sms=a&x=1&x=2", twice("x")),
    query("the user", b"sms=a&user=somebody", twice("user")),
    query("the password", b"sms=a&password=other", twice("password")),
    query("the class", b"sms=a&class=user", twice("class")),
    query("the method in another case", b"sms=a&method=SENDSMS", twice("method")),
    query("the output", b"sms=a&output=json&output=xml", twice("output")),
]

OUTPUT = [
    query("output=foo", b"sms=a&output=foo", "output must be json or xml, not foo."),
    query("output in capitals", b"sms=a&output=XML", "output must be json or xml, not XML."),
    query("output with markup", b"sms=a&output=%3Cscript%3E%0A", "output must be json or xml, not <script>\ufffd."),
    query("a long output", b"sms=a&output=" + b"x" * 5000, f"output must be json or xml, not {'x' * 40}…."),
]

CASES = [*TEXT, *JSON_BODIES, *MULTIPART_BODIES, *BODIES, *REPEATED, *OUTPUT]

SAME = [
    query("twice the same", b"sms=a&sms=a&to=34600000001", ""),
    body("the same in query and form", b"sms=a&to=34600000001&from=Shop", FORM, ""),
    body("the same in query and JSON, as a number", b'{"sms":"a","to":34600000001}', JSON, ""),
    body("the same in query and multipart", part("sms", b"a") + part("from", b"Shop") + END, MULTIPART, ""),
    query("empty and given", b"sms=&sms=a&sms=", ""),
    query("unknown parameters", b"sms=a&apikey=1&SMS=b&Sms=c&_=3", ""),
    body("JSON with a byte order mark", b'\xef\xbb\xbf{"sms":"a"}', f"{JSON}; charset=utf-8", ""),
    body("JSON's numbers and constants", b'{"sms":1.50,"x":true,"y":null}', JSON, ""),
    body("a form without a type", b"sms=a", None, ""),
    body("an empty body of any type", b"", "text/plain", ""),
]
"""Taken; the last one has no text and is MISSING_COMPULSORY_PARAM."""
