"""EPEL 7's two hosts, each on an address of the loopback: epel.py CERTIFICATE MIRRORS ARCHIVE. Each of them answers,
is silent, or refuses.

The packages are the image's. Only mirrors that answer give a metalink, which names the machine's own mirror over http.
"""
import hashlib
import http.server
import os
import socket
import ssl
import sys
import threading
import time

SERVED = "/srv/mirror/epel"
ARCHIVE = "/pub/archive/epel/7/x86_64"
METALINK = """<?xml version="1.0" encoding="utf-8"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager">
 <files><file name="repomd.xml">
  <mm0:timestamp>%d</mm0:timestamp><size>%d</size>
  <verification><hash type="sha256">%s</hash></verification>
  <resources maxconnections="1">
   <url protocol="http" type="http" location="US" preference="100">http://127.0.0.1:8600/epel/repodata/repomd.xml</url>
  </resources>
 </file></files>
</metalink>
"""


class Archive(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def translate_path(self, path):
        if not path.startswith(ARCHIVE + "/"):
            return "/nonexistent"
        self.directory = SERVED
        return super().translate_path(path[len(ARCHIVE):])


class Mirrors(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path != "/metalink?repo=epel-7&arch=x86_64":
            return self.send_error(404)
        index = SERVED + "/repodata/repomd.xml"
        with open(index, "rb") as f:
            content = f.read()
        digest = hashlib.sha256(content).hexdigest()
        answer = (METALINK % (os.stat(index).st_mtime, len(content), digest)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def listen(address, how, handler):
    """What refuses has nobody who listens; what is silent has nobody who accepts."""
    if how == "silent":
        return socket.create_server((address, 443))
    if how == "answers":
        server = http.server.ThreadingHTTPServer((address, 443), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        return server


listeners = [listen("127.0.0.2", sys.argv[2], Mirrors), listen("127.0.0.3", sys.argv[3], Archive)]
print("listening", flush=True)
for server in listeners:
    if isinstance(server, http.server.HTTPServer):
        threading.Thread(target=server.serve_forever, daemon=True).start()
while True:
    time.sleep(3600)
