"""A node that passes calls on to another one, and withholds every log.  lying_node.py URL FILE: writes its port to FILE."""
import http.server
import json
import sys
import urllib.request


def pass_on(body):
    request = urllib.request.Request(sys.argv[1], body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        return reply.read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        call = json.loads(body)
        if call["method"] == "eth_getLogs":
            body = json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": []}).encode()
        else:
            body = pass_on(body)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[2], "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
