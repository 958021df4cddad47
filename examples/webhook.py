#!/usr/bin/env python3
"""Receives promptd's webhooks and checks their signatures, with the standard library only.

    webhook.py SECRET_FILE [PORT]

Prints each event on a line. What comes twice, because an answer was lost, is told by its id.
"""

import base64
import hashlib
import hmac
import http.server
import json
import sys
import time

secret = base64.b64decode(open(sys.argv[1]).read().strip().removeprefix("whsec_"))
seen = set()  # A real receiver keeps them for some days.


def is_ours(headers, body):
    """Whether the signature is right and not older than five minutes (https://www.standardwebhooks.com)."""
    name, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent.isdigit() or abs(time.time() - int(sent)) > 300:
        return False
    expected = hmac.new(secret, f"{name}.{sent}.".encode() + body, hashlib.sha256).digest()
    text = "v1," + base64.b64encode(expected).decode()
    return any(hmac.compare_digest(text, one) for one in headers.get("webhook-signature", "").split())


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not is_ours(self.headers, body):
            self.send_response(401)
        else:
            name = self.headers["webhook-id"]
            event = json.loads(body)
            if name not in seen:
                print(event["type"], event["data"].get("id", event["data"].get("batch", "")), name, flush=True)
            # Only what is dealt with is answered with 200: anything else is sent again.
            seen.add(name)
            self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Receiver)
print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
