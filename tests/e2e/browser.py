"""A page in a real Chromium: what a browser sees of our answers, which no client of ours proves."""
import http.server
import json
import os
import shutil
import signal
import subprocess
import threading

from probes import wait_until

OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--ignore-certificate-errors"]
PAGE = """<!doctype html><script>
const put = (url, headers, bytes) => new Promise(told => {
  const x = new XMLHttpRequest();
  x.open('PUT', url);
  for (const [name, value] of Object.entries(headers)) x.setRequestHeader(name, value);
  x.onload = () => told({status: x.status, body: x.responseText,
                         retry: x.getResponseHeader('Retry-After')});
  x.onerror = () => told({status: 0});
  x.send(new Uint8Array(bytes));
});
(async () => {
  let out;
  try { out = await (async () => { SCRIPT })(); } catch (error) { out = {error: String(error)}; }
  await fetch('/', {method: 'POST', body: JSON.stringify(out)});
})();
</script>"""


def is_there():
    return shutil.which("chromium") is not None


def run_page(folder, script, seconds=120):
    """What the script (the body of an async function) returns, as JSON. `put` is there for it."""
    told = []

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = PAGE.replace("SCRIPT", script).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser = subprocess.Popen(
        ["chromium", *OPTIONS, f"--user-data-dir={folder}/chromium",
         f"http://localhost:{server.server_port}/"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        return wait_until(lambda: told, seconds, "what the page has to say")[0]
    finally:
        os.killpg(browser.pid, signal.SIGTERM)
        browser.wait()
        server.shutdown()
