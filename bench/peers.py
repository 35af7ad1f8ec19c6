"""The peers: plain curl and age | curl, both with nginx (DAV over TLS 1.3) as their relay."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import lab
import world  # by way of ours, which knows where it lies

CONFIG = """
{user}worker_processes 2;
daemon off;
pid {root}/nginx.pid;
error_log {root}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 100000;
    client_max_body_size 0;
    client_body_temp_path {root}/temp;
    client_body_buffer_size 1m;
    output_buffers 2 256k;
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name localhost;
        ssl_certificate {tls}/relay.pem;
        ssl_certificate_key {tls}/relay.key;
        ssl_protocols TLSv1.3;
        ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
        root {root}/files;
        location / {{ dav_methods PUT DELETE; create_full_put_path on; }}
    }}
}}
"""


class Peers:
    """`certificates` is the folder with relay.pem and relay.key, `ca` what signed them."""

    def __init__(self, folder, certificates, ca):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="peer-", dir=folder))
        self.certificates, self.ca = certificates, ca
        self.port = world.free_port()
        self.base = f"https://localhost:{self.port}"
        self.nginx = None

    def __enter__(self):
        for name in ("files", "temp"):
            (self.root / name).mkdir()
        config = self.root / "nginx.conf"
        user = "user root;\n" if os.geteuid() == 0 else ""
        config.write_text(CONFIG.format(user=user, root=self.root, port=self.port,
                                        tls=self.certificates))
        self.nginx = subprocess.Popen(["nginx", "-p", self.root, "-c", config],
                                      preexec_fn=lab.end_with_parent)
        world.wait_until(lambda: world.listening(self.port), what="nginx of the peers")
        subprocess.run(["age-keygen", "-o", self.root / "age.key"], check=True, capture_output=True)
        self.recipient = subprocess.run(["age-keygen", "-y", self.root / "age.key"], check=True,
                                        capture_output=True, text=True).stdout.strip()
        return self

    def __exit__(self, *_):
        self.nginx.terminate()
        self.nginx.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def servers(self):
        return {"nginx": lab.children_of(self.nginx.pid)}

    def curl(self, *more):
        return ["curl", "-sSf", "--cacert", self.ca, "--tls13-ciphers", "TLS_AES_128_GCM_SHA256",
                "-H", "Expect:", *more]

    def curl_round_trip(self, source):
        size, back, url = source.stat().st_size, self.root / "back", f"{self.base}/plain"
        run = lab.Run("curl send", "https", size, self.servers())
        run.start("curl", *self.curl("-T", source, url))
        sent = run.finish()
        run = lab.Run("curl fetch", "https", size, self.servers())
        run.start("curl", *self.curl("-o", back, url))
        fetched = run.finish()
        self._check_and_drop(source, back, url)
        return sent, fetched

    def age_round_trip(self, source):
        size, back, url = source.stat().st_size, self.root / "back", f"{self.base}/sealed"
        run = lab.Run("age send", "https", size, self.servers())
        age = run.start("age", "age", "-r", self.recipient, source, stdout=subprocess.PIPE)
        run.start("curl", *self.curl("-T", "-", url), stdin=age.stdout)
        age.stdout.close()
        sent = run.finish()
        run = lab.Run("age fetch", "https", size, self.servers())
        curl = run.start("curl", *self.curl(url), stdout=subprocess.PIPE)
        run.start("age", "age", "-d", "-i", self.root / "age.key", "-o", back, stdin=curl.stdout)
        curl.stdout.close()
        fetched = run.finish()
        self._check_and_drop(source, back, url)
        return sent, fetched

    def _check_and_drop(self, source, back, url):
        if not lab.same_bytes(source, back):
            raise SystemExit("a peer's file differs")
        back.unlink()
        subprocess.run(self.curl("-X", "DELETE", url), check=True, capture_output=True)
