//! Reverse proxies in front of a small application, run with the very files that the documentation has.

use axum::Router;
use axum::http::{HeaderMap, Uri};
use serde_json::{Map, Value};
use std::net::{IpAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// A proxy; it ends with this.
pub struct Proxy {
    child: Child,
    _folder: TempDir,
    /// The origin behind it as browsers see it.
    pub base: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Nginx,
    Caddy,
}

impl Kind {
    pub const ALL: [Kind; 2] = [Kind::Nginx, Kind::Caddy];
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx ends its workers when it is asked to, not when it is killed.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        for _ in 0..100 {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port where nobody listens. From below those that the system gives to whoever asks for any: nobody is given
/// it until it is listened on.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Processes that run side by side have a hundred each.
    let from = 20_000 + u16::try_from(std::process::id() % 120).expect("few") * 100;
    let mut ports = std::iter::repeat_with(|| from + NEXT.fetch_add(1, Ordering::Relaxed) % 100);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.by_ref().take(100).find(free).expect("a port")
}

fn documented(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/applications").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Replaces what must be there.
fn put(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the documented file");
        text.replace(from, to)
    })
}

/// What a proxy stands between, and where.
struct Between<'a> {
    folder: &'a Path,
    warifu: &'a str,
    application: &'a str,
    at: (&'a str, u16),
    /// What of the person the application is told; everything where it does not say.
    tell: Option<&'a str>,
}

impl Between<'_> {
    /// The end of the address that is asked, as it is documented or with what is to be told.
    fn asking(&self, documented: &str, with: &str, end: &str) -> String {
        let tell = self.tell.map(|tell| format!("{with}tell={tell}")).unwrap_or_default();
        format!("{documented}{tell}{end}")
    }
}

fn nginx(between: &Between<'_>) -> Command {
    let &Between { folder, warifu, application, at: (host, port), .. } = between;
    let listen = format!("listen {host}:{port};");
    let at = |name: &str| folder.join(name).display().to_string();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {};\n", at(kind)))
        .collect();
    let text = put(
        &documented("nginx.conf"),
        &[
            ("127.0.0.1:8080", warifu),
            ("127.0.0.1:9000", application),
            ("/auth/verify;", &between.asking("/auth/verify", "?", ";")),
            ("listen 443 ssl;", &listen),
            ("listen 443 ssl default_server;", &format!("listen {host}:{port} default_server;")),
            ("ssl_reject_handshake on;", ""),
            ("X-Forwarded-Host builds.example.com;", &format!("X-Forwarded-Host {host}:{port};")),
            ("server_name builds.example.com;", &format!("server_name {host};")),
            ("ssl_certificate /etc/ssl/certs/application.pem;", ""),
            ("ssl_certificate_key /etc/ssl/private/application.key;", ""),
            ("worker_processes auto;", "worker_processes 1;"),
            ("http {\n", &format!("http {{\naccess_log off;\n{temporary}")),
        ],
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, text).expect("a file in a folder of ours");
    let own = format!("daemon off; pid {}; error_log stderr;", at("pid"));
    let found = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].map(PathBuf::from);
    let program = found.into_iter().find(|p| p.exists()).unwrap_or_else(|| "nginx".into());
    let mut command = Command::new(program);
    command.arg("-p").arg(folder).arg("-c").arg(file).args(["-g", &own]);
    command
}

/// What the documented Caddyfile copies: with `tell` just that, as `docs/applications` says.
const ALL: &str =
    "copy_headers Remote-User Remote-Email Remote-Name Remote-Groups Remote-Acr Remote-Auth-Time";

fn copied(tell: &str) -> String {
    let names = tell.split(',').map(|name| format!(" Remote-{name}"));
    format!("copy_headers{}", names.collect::<String>())
}

fn caddy(between: &Between<'_>) -> Command {
    let &Between { folder, warifu, application, at: (host, port), tell } = between;
    let text = put(
        &documented("Caddyfile"),
        &[
            ("127.0.0.1:8080", warifu),
            ("127.0.0.1:9000", application),
            ("?answer=redirect", &between.asking("?answer=redirect", "&", "")),
            (ALL, &tell.map_or(ALL.into(), copied)),
            ("https://builds.example.com", &format!("http://{host}:{port}")),
            ("X-Forwarded-Host builds.example.com", &format!("X-Forwarded-Host {host}:{port}")),
        ],
    );
    let file = folder.join("Caddyfile");
    std::fs::write(&file, format!("{{\n\tadmin off\n\tauto_https off\n}}\n{text}"))
        .expect("a file in a folder of ours");
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
    for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
        command.env(name, folder);
    }
    command
}

/// The documented HAProxy in front of the two TLS listeners of a server. It stands behind a balancer that
/// announces clients to it, so that they can come from anywhere.
fn haproxy(folder: &Path, main: u16, certificates: u16, ports: [u16; 2]) -> Command {
    let bind = |port: u16| format!("bind 127.0.0.1:{port} accept-proxy\n");
    let text = put(
        &documented("haproxy.cfg"),
        &[
            ("bind :443\n", &bind(ports[0])),
            ("bind :8443\n", &bind(ports[1])),
            ("127.0.0.1:4443", &format!("127.0.0.1:{main}")),
            ("127.0.0.1:4444", &format!("127.0.0.1:{certificates}")),
            ("inter 2s", "inter 200ms"),
        ],
    );
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, text).expect("a file in a folder of ours");
    let found = PathBuf::from("/usr/sbin/haproxy");
    let mut command = Command::new(if found.exists() { found } else { "haproxy".into() });
    command.arg("-db").arg("-f").arg(file);
    command
}

impl Proxy {
    /// Starts one between browsers, a server at `http://localhost:PORT` and an application.
    pub async fn start(kind: Kind, warifu: &str, application: &str) -> Proxy {
        Self::telling(kind, warifu, application, None).await
    }

    /// One that is told no more than these of the person, and is otherwise as it is documented.
    pub async fn telling(kind: Kind, warifu: &str, application: &str, tell: Option<&str>) -> Proxy {
        let folder = TempDir::with_prefix("warifu-proxy-").expect("a temporary folder");
        // A host of its own, as an application has: cookies know no ports.
        static HOSTS: AtomicU8 = AtomicU8::new(0);
        let host = format!("127.0.0.{}", 2 + HOSTS.fetch_add(1, Ordering::Relaxed) % 250);
        let (port, at) = (free_port(), host.as_str());
        let warifu = warifu.replace("http://localhost", "127.0.0.1");
        let application = application.replace("http://", "");
        let (warifu, application) = (&warifu, &application);
        let between = Between { folder: folder.path(), warifu, application, at: (at, port), tell };
        let command = match kind {
            Kind::Nginx => nginx(&between),
            Kind::Caddy => caddy(&between),
        };
        Proxy::run(command, folder, (at, port), format!("http://{host}:{port}")).await
    }

    /// Starts HAProxy in front of a server's TLS listener and of the one that asks for certificates, and
    /// says where the latter is reached.
    pub async fn haproxy(main: u16, certificates: u16) -> (Proxy, u16) {
        let folder = TempDir::with_prefix("warifu-proxy-").expect("a temporary folder");
        let ports = [free_port(), free_port()];
        let command = haproxy(folder.path(), main, certificates, ports);
        let base = format!("https://localhost:{}", ports[0]);
        (Proxy::run(command, folder, ("127.0.0.1", ports[0]), base).await, ports[1])
    }

    async fn run(mut command: Command, folder: TempDir, at: (&str, u16), base: String) -> Proxy {
        let program = command.get_program().display().to_string();
        let log = std::fs::File::create(folder.path().join("log")).expect("a file");
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("{program}: {e}; run ./test, which installs it"));
        let mut proxy = Proxy { child, _folder: folder, base };
        for _ in 0..400 {
            if tokio::net::TcpStream::connect(at).await.is_ok() {
                return proxy;
            }
            if let Ok(Some(_)) = proxy.child.try_wait() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let log = std::fs::read_to_string(proxy._folder.path().join("log")).unwrap_or_default();
        panic!("{program} does not listen:\n{log}")
    }
}

/// How a proxy announces a client (PROXY protocol v2), with so many bytes of something else.
pub fn announcement(client: &str, further: u16) -> Vec<u8> {
    let (family, addresses) = match client.parse().expect("an address") {
        IpAddr::V4(v4) => (0x11, [&v4.octets()[..], &[192, 0, 2, 1]].concat()),
        IpAddr::V6(v6) => (0x21, [&v6.octets()[..], &[0xfe; 16]].concat()),
    };
    let ports = [0xc0, 0x01, 0x01, 0xbb];
    announced(0x21, family, &[&addresses[..], &ports, &vec![0xea; usize::from(further)]].concat())
}

/// A header of that protocol, made of its parts.
pub fn announced(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).expect("a header's length").to_be_bytes();
    [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[command, family], &length, rest].concat()
}

/// An application that says what it was sent; it lives as long as the test's runtime.
pub async fn application() -> String {
    let echo = async |uri: Uri, headers: HeaderMap| {
        let mut said = Map::new();
        for name in headers.keys() {
            let all: Vec<_> =
                headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
            said.insert(name.as_str().to_owned(), all.join(" | ").into());
        }
        said.insert("path".to_owned(), uri.to_string().into());
        axum::Json(Value::Object(said))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await });
    format!("http://{address}")
}
