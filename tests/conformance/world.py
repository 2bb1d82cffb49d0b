"""The simulator as the drivers see it: its address, its keys, its control paths.

Two environment variables lead here: SIMULATOR_URL and SIMULATOR_KEYS.
"""

import json
import os
import queue
import threading
import urllib.request
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

URL = os.environ["SIMULATOR_URL"]
KEYS = Path(os.environ["SIMULATOR_KEYS"])
SETTINGS = json.loads((KEYS / "settings.json").read_text())
TODAY = datetime.now(timezone(timedelta(hours=8))).strftime("%Y-%m-%d")


def key(name):
    """A file of the key folder."""
    return (KEYS / name).read_text()


def register(channel, trade_no, total_fen, **more):
    """Tells the simulator of a paid order."""
    trade = {"channel": channel, "trade_no": trade_no, "out_trade_no": "O" + trade_no, "total_fen": total_fen}
    call("/_sim/trades", trade | more)


def call(path, body=None):
    """Calls a control path; gives its JSON."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, data=data), timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def movements(number):
    """How often the simulator's own book moved money under a number."""
    return sum(it["number"] == number for it in call("/_sim/book")["movements"])


def holds(what, actual, expected):
    """One line for each thing that holds; the first that does not ends the run."""
    if actual != expected:
        raise SystemExit(f"FAILED {what}: {actual!r} and not {expected!r}")
    print(f"ok {what}")


class Inbox:
    """Where notices arrive: each is (headers, body) in `arrived`."""

    def __init__(self, answer):
        arrived = self.arrived = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                arrived.put((self.headers, body))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def next(self):
        return self.arrived.get(timeout=20)
