"""Nodes of one made-up chain, each with a port of its own and its own way of misbehaving.

usage: fake_chain.py FOLDER COUNT: writes the ports to FOLDER/ports. The last one speaks TLS, with FOLDER/cert.pem and
FOLDER/key.pem. A new block comes every half second. A node does what the
file FOLDER/NUMBER says, the first one being 0:
  good        (or no file) answers
  down        closes every connection
  silent      takes calls and does not answer
  flap        every other answer is of a node that is three blocks behind
  limited     HTTP status 429 with Retry-After: 30
  fork        its newest blocks are others
"""
import http.server
import json
import os
import ssl
import sys
import threading
import time

folder, count = sys.argv[1], int(sys.argv[2])
begun = time.monotonic()


def head():
    return 100 + int((time.monotonic() - begun) * 2)


def hash_of(number, branch):
    return "0x%064x" % (number + (branch << 64))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def mode(self):
        try:
            with open(os.path.join(folder, str(self.server.number)), encoding="ascii") as file:
                return file.read().strip()
        except OSError:
            return "good"

    def block(self, number, branch):
        fork = head() - 20
        branches = [branch if n >= fork else 0 for n in (number, number - 1)]
        return {
            "number": hex(number), "timestamp": hex(int(time.time())), "gasLimit": "0x1", "gasUsed": "0x0",
            "hash": hash_of(number, branches[0]), "parentHash": hash_of(number - 1, branches[1]),
            "logsBloom": "0x" + "00" * 256,
        }

    def result(self, method, params, mode):
        newest = head()
        if mode == "flap":
            self.server.answers += 1
            newest -= 3 * (self.server.answers % 2)
        if method == "eth_chainId":
            return "0x7cee"
        if method == "eth_getLogs":
            return []
        number = newest if params[0] == "latest" else int(params[0], 16)
        return None if number > newest else self.block(number, int(mode == "fork"))

    def do_POST(self):
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        mode = self.mode()
        if mode == "down":
            self.close_connection = True
            return
        if mode == "silent":
            time.sleep(60)
            return
        body = json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": self.result(call["method"], call["params"], mode)})
        self.send_response(429 if mode == "limited" else 200)
        if mode == "limited":
            self.send_header("Retry-After", "30")
            body = "slower"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


servers = []
for number in range(count):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.number, server.answers = number, 0
    if number == count - 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    servers.append(server)
with open(os.path.join(folder, "ports.new"), "w", encoding="ascii") as file:
    file.write(" ".join(str(server.server_port) for server in servers) + "\n")
os.rename(os.path.join(folder, "ports.new"), os.path.join(folder, "ports"))
threading.Event().wait()
