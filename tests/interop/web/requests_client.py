"""One HTTP request with requests.

Reads {url, form, basic: [user, password], bearer} as JSON from standard input, `basic` and `bearer` where there are
any; prints {status, challenge, reply}, the reply as the client's own JSON reader understood it.
"""

import json
import sys

import requests

plan = json.load(sys.stdin)
basic = plan.get("basic")
headers = {"Authorization": f"Bearer {plan['bearer']}"} if "bearer" in plan else {}
# requests takes text as Latin-1, so UTF-8 it is given as bytes.
auth = tuple(word.encode() for word in basic) if basic else None
answer = requests.post(plan["url"], data=plan["form"], auth=auth, headers=headers, timeout=30)
challenge = answer.headers.get("WWW-Authenticate", "")
json.dump({"status": answer.status_code, "challenge": challenge, "reply": answer.json()}, sys.stdout)
