"""One HTTP request with the command curl; input and output as `requests_client.py`'s."""

import json
import subprocess
import sys

plan = json.load(sys.stdin)
command = [
    "curl",
    "--silent",
    "--show-error",
    "--noproxy",
    "*",
    "--write-out",
    "\n%{http_code}\n%header{www-authenticate}",
]
if "basic" in plan:
    command += ["--user", ":".join(plan["basic"])]
if "bearer" in plan:
    command += ["--oauth2-bearer", plan["bearer"]]
for name, value in plan["form"].items():
    command += ["--data-urlencode", f"{name}={value}"]
if not plan["form"]:
    command += ["--data", ""]
printed = subprocess.run([*command, plan["url"]], capture_output=True, text=True, timeout=30, check=True).stdout
body, status, challenge = printed.rsplit("\n", 2)
json.dump({"status": int(status), "challenge": challenge, "reply": json.loads(body)}, sys.stdout)
