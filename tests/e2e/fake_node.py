"""A node that answers every call with the nonsense that the URL's path names. fake_node.py FILE: writes its port to FILE."""
import http.server
import json
import sys

GOOD = {"jsonrpc": "2.0", "id": None, "result": "0x7cee"}


def answer(kind, call):
    good = {**GOOD, "id": call.get("id")}
    text = json.dumps(good)
    return {
        "empty": "",
        "html": "<html><body>502 Bad Gateway</body></html>",
        "cut": text[:-7],
        "deep": "[" * 100000,
        "result-type": json.dumps({**good, "result": {"chain": 31982}}),
        "id-wrong": json.dumps({**good, "id": 987654321}),
        "both": json.dumps({**good, "error": {"code": 1, "message": "and yet"}}),
        "huge-number": json.dumps({**good, "result": "0x" + "f" * 80}),
        "status-500": "Internal Server Error",
        "control": text.replace("0x", "0x\x01"),
    }[kind]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        kind = self.path.split("?")[0].strip("/")
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = answer(kind, call).encode()
        self.send_response(500 if kind == "status-500" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1], "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
