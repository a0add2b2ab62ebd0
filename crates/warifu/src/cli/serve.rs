//! `warifu serve`

use super::CliError;
use super::installation::Installation;
use super::signals::{Senders, Signals};
use super::tls::{Identity, TlsListener, TlsPeer};
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use clap::{Args, ValueEnum};
use std::future::IntoFuture;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use warifu_app::App;
use warifu_app::verifications::ResetDelay;
use warifu_auth::breached::Breached;
use warifu_auth::{Asns, Certificates, ForwardedBy, IpNetwork, Proxies};
use warifu_domain::time::{DAY, HOUR, MINUTE, SECOND};
use warifu_domain::verification::LEAST_DELAY;
use warifu_web::certificates::CertificateConfig;
use warifu_web::{Web, WebConfig};

/// How long open requests may take to end after the signal. Event streams never end by themselves.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    installation: Installation,
    /// Address and port; port 0 takes a free one
    #[arg(long, env = "WARIFU_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// How browsers reach it, e.g. `https://support.example.com`; passkeys belong to this host.
    /// Without it: http://localhost and the port
    #[arg(long, env = "WARIFU_ORIGIN", value_name = "URL")]
    origin: Option<String>,
    /// Passwords that stood in leaks: lines of SHA-1 hashes, sorted, in the format of Have I Been Pwned.
    /// None of them can be chosen
    #[arg(long, env = "WARIFU_BREACHED_PASSWORDS", value_name = "FILE")]
    breached_passwords: Option<PathBuf>,
    #[command(flatten)]
    clients: Clients,
    /// Certificates of makers of authenticators (PEM): where policy demands proof of make
    #[arg(long, env = "WARIFU_AUTHENTICATOR_MAKERS", value_name = "FILE")]
    authenticator_makers: Option<PathBuf>,
    #[command(flatten)]
    signals: Signals,
    /// Seconds for which the short cookie of a session that is bound to a device is good: as long is a
    /// copy of it good for
    #[arg(long, env = "WARIFU_DEVICE_COOKIE", value_name = "SECONDS", default_value = "600",
        value_parser = clap::value_parser!(i64).range(5..=3_600))]
    device_cookie: i64,
    #[command(flatten)]
    tls: Tls,
    /// How long a reset of somebody's factors waits after its approval, so that its owner can stop it:
    /// people with a role, 15m to 7d
    #[arg(long, env = "WARIFU_RESET_DELAY", default_value = "24h", value_name = "TIME", value_parser = delay)]
    reset_delay: i64,
    /// The same for customers' users without a role, 0 to 7d
    #[arg(long, env = "WARIFU_RESET_DELAY_USERS", default_value = "0", value_name = "TIME", value_parser = delay_of_users)]
    reset_delay_users: i64,
}

/// TLS spoken by the server itself, and client certificates (PIV, CAC).
#[derive(Args)]
struct Tls {
    /// Serves the same over TLS here, beside --listen
    #[arg(long, env = "WARIFU_TLS_LISTEN", value_name = "ADDR:PORT", requires = "tls_certificate")]
    tls_listen: Option<SocketAddr>,
    /// The server's certificate with its chain, PEM. Read again when the file changes
    #[arg(long, env = "WARIFU_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, env = "WARIFU_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Where browsers are asked for a client certificate: a port of its own on the origin's host, to which
    /// they come directly, not through a proxy that ends TLS
    #[arg(
        long,
        env = "WARIFU_CERTIFICATE_LISTEN",
        value_name = "ADDR:PORT",
        requires = "tls_certificate",
        requires = "client_ca"
    )]
    certificate_listen: Option<SocketAddr>,
    /// How browsers reach it. Without it: https, the origin's host and the port
    #[arg(
        long,
        env = "WARIFU_CERTIFICATE_ORIGIN",
        value_name = "URL",
        requires = "certificate_listen"
    )]
    certificate_origin: Option<url::Url>,
    /// Authorities whose client certificates are taken, PEM. Read again when the file changes
    #[arg(long, env = "WARIFU_CLIENT_CA", value_name = "FILE", requires = "certificate_listen")]
    client_ca: Option<PathBuf>,
    /// Revocation list of one of them or of one below, PEM or DER; may be repeated. With one, every
    /// certificate needs a list that has not expired. Read again when the file changes
    #[arg(
        long,
        env = "WARIFU_CLIENT_CRL",
        value_delimiter = ',',
        value_name = "FILE",
        requires = "client_ca"
    )]
    client_crl: Vec<PathBuf>,
}

/// The listeners that speak TLS.
#[derive(Default)]
struct Secured {
    identity: Option<Arc<Identity>>,
    main: Option<TlsListener>,
    asking: Option<TlsListener>,
}

impl Tls {
    async fn open(self, config: WebConfig) -> Result<(Secured, WebConfig), CliError> {
        let (Some(certificate), Some(key)) = (&self.tls_certificate, &self.tls_key) else {
            return Ok((Secured::default(), config));
        };
        let identity = Identity::open(certificate, key)?;
        let main = match self.tls_listen {
            Some(address) => Some(TlsListener::bind(address, identity.plain()?).await?),
            None => None,
        };
        let (asking, config) = match (self.certificate_listen, &self.client_ca) {
            (Some(address), Some(authorities)) => {
                let authorities = Certificates::open(authorities, &self.client_crl)
                    .map_err(|e| CliError::Said(e.to_string()))?;
                let authorities = Arc::new(authorities);
                let listener =
                    TlsListener::bind(address, identity.asking(authorities.clone())?).await?;
                let origin = self.asking_origin(&config, listener.port())?;
                let certificates = Some(CertificateConfig { origin, authorities });
                (Some(listener), WebConfig { certificates, ..config })
            }
            _ => (None, config),
        };
        Ok((Secured { identity: Some(identity), main, asking }, config))
    }

    /// The cookies of the main origin go to every port of its host, and to no other host.
    fn asking_origin(&self, config: &WebConfig, port: u16) -> Result<url::Url, CliError> {
        let bad = || {
            CliError::Said("--certificate-origin: write https, the origin's host, a port".into())
        };
        let origin = match &self.certificate_origin {
            Some(origin) => origin.clone(),
            None => {
                let host = config.origin.host_str().unwrap_or_default();
                format!("https://{host}:{port}").parse().map_err(|_| bad())?
            }
        };
        let fits = origin.scheme() == "https" && origin.host() == config.origin.host();
        if fits { Ok(origin) } else { Err(bad()) }
    }
}

/// A length of time: `90s`, `30m`, `24h`, `7d` or `0`, in microseconds.
fn delay_of_users(text: &str) -> Result<i64, String> {
    let wrong = || "write 30m, 24h or 7d; 7d at most".to_owned();
    let digits = text.trim_end_matches(char::is_alphabetic);
    let unit = match &text[digits.len()..] {
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "" if digits == "0" => SECOND,
        _ => return Err(wrong()),
    };
    let n: i64 = digits.parse().map_err(|_| wrong())?;
    let whole = n.checked_mul(unit).ok_or_else(wrong)?;
    if (0..=7 * DAY).contains(&whole) { Ok(whole) } else { Err(wrong()) }
}

fn delay(text: &str) -> Result<i64, String> {
    let whole = delay_of_users(text)?;
    if whole >= LEAST_DELAY { Ok(whole) } else { Err("15m at least".to_owned()) }
}

/// How the server knows where a request comes from.
#[derive(Args)]
struct Clients {
    /// Proxy in front of the server whose word about a client's address is taken; may be repeated.
    /// Without it the socket's address counts and no header is read
    #[arg(long, env = "WARIFU_TRUSTED_PROXY", value_delimiter = ',', value_name = "ADDRESS|CIDR")]
    trusted_proxy: Vec<IpNetwork>,
    /// The one header in which the trusted proxies write it
    #[arg(
        long,
        env = "WARIFU_FORWARDED_BY",
        value_name = "HEADER",
        default_value = "x-forwarded-for"
    )]
    forwarded_by: Header,
    /// ASN database in MMDB format (GeoLite2-ASN, IPinfo, DB-IP): a session is then bound to an
    /// autonomous system, not to an address prefix. Read again when the file changes
    #[arg(long, env = "WARIFU_ASN_DATABASE", value_name = "FILE")]
    asn_database: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Header {
    XForwardedFor,
    Forwarded,
}

impl Clients {
    fn apply(self, config: WebConfig) -> Result<WebConfig, CliError> {
        let by = match self.forwarded_by {
            Header::XForwardedFor => ForwardedBy::XForwardedFor,
            Header::Forwarded => ForwardedBy::Forwarded,
        };
        let asns = self.asn_database.as_deref().map(Asns::open).transpose();
        let asns = asns.map_err(|e| CliError::Said(format!("--asn-database: {e}")))?;
        let proxies = Proxies::new(self.trusted_proxy, by);
        Ok(WebConfig { proxies, asns: asns.map(Arc::new), ..config })
    }
}

impl Serve {
    pub async fn run(self) -> Result<(), CliError> {
        let _lock = self.installation.lock()?;
        let delay = ResetDelay { roles: self.reset_delay, users: self.reset_delay_users };
        let app = self.installation.open_as(|config| config.reset_delay = delay).await?;
        app.abort_unfinished_runs().await?;
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(CliError::io(format!("cannot listen on {}", self.listen)))?;
        let address = listener
            .local_addr()
            .map_err(CliError::io(format!("cannot listen on {}", self.listen)))?;
        let local = format!("http://localhost:{}", address.port());
        let config = config(self.origin.as_deref().unwrap_or(&local))?;
        let mut config = self.clients.apply(config)?;
        let senders = self.signals.senders()?;
        if let Some(file) = &self.authenticator_makers {
            let pem = std::fs::read_to_string(file);
            config.makers = Some(pem.map_err(CliError::io(format!("{}", file.display())))?);
        }
        config.sessions.device_cookie = self.device_cookie * SECOND;
        let breached = self.breached_passwords.as_deref().map(Breached::open).transpose();
        let breached = breached.map_err(CliError::io("--breached-passwords"))?;
        config.breached = breached.map(Arc::new);
        let (secured, config) = self.tls.open(config).await?;
        app.remember_origin(&config.origin_text()).await?;
        say(&format!("listening on {local}"))?;
        if let Some(main) = &secured.main {
            say(&format!("with TLS on https://localhost:{}", main.port()))?;
        }
        if let Some(certificates) = &config.certificates {
            say(&format!("asking for certificates on {}", certificates.origin_text()))?;
        }
        serve_all(listener, secured, app, config, senders, stopped()).await
    }
}

/// Reads the origin.
///
/// # Errors
/// When it is none, or one on which browsers refuse passkeys.
pub fn config(origin: &str) -> Result<WebConfig, CliError> {
    let bad = |why: &str| CliError::Said(format!("--origin {origin}: {why}"));
    let url: url::Url = origin.parse().map_err(|e: url::ParseError| bad(&e.to_string()))?;
    let local = matches!(url.host_str(), Some(h) if h == "localhost" || h.ends_with(".localhost"));
    match url.scheme() {
        "https" => {}
        "http" if local => {}
        "http" => return Err(bad("browsers refuse passkeys without TLS; write https://…")),
        _ => return Err(bad("write https://support.example.com")),
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(bad("only scheme, host and port stand here"));
    }
    if !matches!(url.host(), Some(url::Host::Domain(_))) {
        return Err(bad("passkeys need a name, not an address"));
    }
    Ok(WebConfig::new(url))
}

/// Serves until `stop` ends, then lets open requests end.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(
    listener: TcpListener,
    app: App,
    config: WebConfig,
    senders: Senders,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), CliError> {
    serve_all(listener, Secured::default(), app, config, senders, stop).await
}

async fn serve_all(
    listener: TcpListener,
    secured: Secured,
    app: App,
    config: WebConfig,
    senders: Senders,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), CliError> {
    let db = app.db.clone();
    let watch = tokio::spawn(app.clone().watch_unfinished_runs());
    let stages = tokio::spawn(enter_stages(app.clone()));
    let asns = config.asns.clone().map(|asns| tokio::spawn(follow(asns)));
    let tell = super::tell::tell(app.clone(), config.origin_text(), config.sessions);
    let tell = tokio::spawn(tell);
    let Secured { identity, main, asking } = secured;
    let certificates = config.certificates.clone().map(|c| c.authorities);
    let kept = identity.map(|i| tokio::spawn(follow_certificates(app.clone(), i, certificates)));
    let web = Web::new(app, config).map_err(|e| CliError::Said(e.to_string()))?;
    let mails = senders.mailer.map(|mailer| tokio::spawn(mailer.deliver(web.clone())));
    let events = senders.webhook.map(|webhook| tokio::spawn(webhook.deliver(web.clone())));
    let (end, mut ending) = watch::channel(false);
    let asking = asking.map(|listener| {
        serve_tls(listener, warifu_web::certificates::router(web.clone()), ending.clone())
    });
    let router = warifu_web::router(web);
    let main = main.map(|listener| serve_tls(listener, router.clone(), ending.clone()));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        stop.await;
        let _ = end.send(true);
    });
    let late = async move {
        let _ = ending.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server.into_future() => ended.map_err(CliError::io("the server broke"))?,
        () = late => tracing::warn!("requests that were still open were cut off"),
    }
    watch.abort();
    stages.abort();
    for task in [mails, events, main, asking, kept, Some(tell)].into_iter().flatten() {
        task.abort();
    }
    asns.inspect(|task| task.abort());
    db.close().await;
    Ok(())
}

/// How often it is looked whether a feature's next stage has come.
const STAGES: Duration = Duration::from_secs(30);

/// Brings features on to their planned stages.
async fn enter_stages(app: App) {
    loop {
        match app.enter_stages().await {
            Ok(0) => {}
            Ok(n) => tracing::info!(n, "features entered their next stage"),
            Err(error) => tracing::error!(%error, "stages of features were not looked at"),
        }
        tokio::time::sleep(STAGES).await;
    }
}

/// Serves a router behind TLS until the server is told to stop.
fn serve_tls(
    listener: TlsListener,
    router: Router,
    mut told: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let router = router.layer(from_fn(peer));
    let service = router.into_make_service_with_connect_info::<TlsPeer>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = told.wait_for(|stopped| *stopped).await;
    });
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "a TLS listener broke");
        }
    })
}

/// Puts the other side of a TLS connection where the handlers look for it.
async fn peer(mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(TlsPeer(peer))) =
        request.extensions_mut().remove::<ConnectInfo<TlsPeer>>()
    {
        request.extensions_mut().insert(ConnectInfo(peer.address));
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}

/// Reads certificates, authorities and revocation lists again whenever their files were replaced, and
/// ends the sessions of certificates that are revoked now.
async fn follow_certificates(
    app: App,
    identity: Arc<Identity>,
    authorities: Option<Arc<Certificates>>,
) {
    let mut judged = None;
    loop {
        tokio::time::sleep(FOLLOW_CERTIFICATES).await;
        let (identity, authorities) = (identity.clone(), authorities.clone());
        let read = tokio::task::spawn_blocking(move || {
            (identity.reload(), authorities.map(|a| a.trust()))
        });
        let Ok((own, trust)) = read.await else { continue };
        match own {
            Ok(true) => tracing::info!("the server's certificate was read again"),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "the server's certificate of before stays in use")
            }
        }
        let Some((trust, trouble)) = trust else { continue };
        if let Some(error) = trouble {
            tracing::error!(%error, "authorities and revocation lists of before stay in use");
        }
        if judged.as_ref().is_some_and(|before| Arc::ptr_eq(before, &trust)) {
            continue;
        }
        match app.end_revoked_certificates(&trust).await {
            Ok(ended) => {
                if ended > 0 {
                    tracing::warn!(ended, "sessions of revoked certificates were ended");
                }
                judged = Some(trust);
            }
            Err(error) => tracing::error!(%error, "revoked certificates are looked for again"),
        }
    }
}

/// How often changed certificates are looked for.
const FOLLOW_CERTIFICATES: Duration = Duration::from_secs(2);

/// How often a changed ASN database is looked for.
const FOLLOW: Duration = Duration::from_secs(5);

/// Reads the ASN database again whenever its file was replaced.
async fn follow(asns: Arc<Asns>) {
    loop {
        tokio::time::sleep(FOLLOW).await;
        let asns = asns.clone();
        match tokio::task::spawn_blocking(move || asns.reload()).await {
            Ok(Ok(true)) => tracing::info!("the ASN database was read again"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::error!(%error, "the ASN database of before stays in use"),
            Err(error) => tracing::error!(%error, "the ASN database was not looked at"),
        }
    }
}

/// Ends when the process is asked to stop.
pub async fn stopped() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

/// A line on stdout, for whoever started the program and waits for it.
///
/// # Errors
/// When stdout is closed.
pub fn say(line: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(CliError::io("stdout"))
}
