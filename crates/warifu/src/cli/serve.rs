//! `warifu serve`

use super::CliError;
use super::follow;
use super::installation::Installation;
use super::listening::{self, Gate, Listening};
use super::secured::{Secured, Tls, serve_tls};
use super::signals::{Senders, Signals};
use crate::outbound;
use axum::Extension;
use clap::{Args, ValueEnum};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::Layer;
use warifu_app::verifications::ResetDelay;
use warifu_app::{App, AppConfig};
use warifu_auth::breached::Breached;
use warifu_auth::{Asns, ForwardedBy, IpNetwork, Proxies};
use warifu_domain::reports::Limits;
use warifu_domain::time::{DAY, HOUR, MINUTE, SECOND};
use warifu_domain::verification::LEAST_DELAY;
use warifu_web::certificates::Peer;
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
    /// Above so many rows with personal data a report is a decision of its own, and above so many within a
    /// day the next file leaves with the key only
    #[arg(long, env = "WARIFU_REPORT_LIMIT", value_name = "ROWS", default_value = "5000",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    report_limit: u64,
    /// So many people's records somebody is shown within a day, by pages, lists, searches and the API together.
    /// To read on they touch their key; a service account waits
    #[arg(long, env = "WARIFU_READING_LIMIT", value_name = "PEOPLE", default_value = "2000",
        value_parser = clap::value_parser!(u64).range(50..=1_000_000))]
    reading_limit: u64,
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
    /// Without it the socket's address counts and no header is read. With it, a request of the proxy that does
    /// not say so is refused, but for `/healthz`: it would make everybody the proxy's neighbour
    #[arg(long, env = "WARIFU_TRUSTED_PROXY", value_delimiter = ',', value_name = "ADDRESS|CIDR")]
    trusted_proxy: Vec<IpNetwork>,
    /// The one way in which the trusted proxies say it: a header of each request, or the PROXY protocol (v2)
    /// at the beginning of each connection. With the latter nobody else is listened to
    #[arg(
        long,
        env = "WARIFU_FORWARDED_BY",
        value_name = "WAY",
        default_value = "x-forwarded-for"
    )]
    forwarded_by: Way,
    /// ASN database in MMDB format (GeoLite2-ASN, IPinfo, DB-IP): a session is then bound to an
    /// autonomous system, not to an address prefix. Read again when the file changes
    #[arg(long, env = "WARIFU_ASN_DATABASE", value_name = "FILE")]
    asn_database: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Way {
    XForwardedFor,
    Forwarded,
    ProxyProtocol,
}

impl Clients {
    fn apply(self, config: WebConfig) -> Result<WebConfig, CliError> {
        let by = match self.forwarded_by {
            Way::XForwardedFor => ForwardedBy::XForwardedFor,
            Way::Forwarded => ForwardedBy::Forwarded,
            Way::ProxyProtocol => ForwardedBy::ProxyProtocol,
        };
        if by == ForwardedBy::ProxyProtocol && self.trusted_proxy.is_empty() {
            let why = "--forwarded-by proxy-protocol: nobody could connect; name the proxies (--trusted-proxy)";
            return Err(CliError::Said(why.to_owned()));
        }
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
        let set = |config: &mut AppConfig| {
            config.reset_delay = delay;
            config.limits = Limits { rows: self.report_limit };
            config.reading_limit = self.reading_limit;
            config.outbound = outbound::providers();
        };
        let app = self.installation.open_as(set).await?;
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
        let gate = Gate::new(config.proxies.clone());
        let (secured, config) = self.tls.open(config, &gate).await?;
        app.remember_origin(&config.origin_text()).await?;
        say(&format!("listening on {local}"))?;
        if let Some(main) = &secured.main {
            say(&format!("with TLS on https://localhost:{}", main.port()))?;
        }
        if let Some(certificates) = &config.certificates {
            say(&format!("asking for certificates on {}", certificates.origin_text()))?;
        }
        let listener = Listening::new(listener, (), gate)?;
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
    let listener = Listening::new(listener, (), Gate::new(config.proxies.clone()))?;
    serve_all(listener, Secured::default(), app, config, senders, stop).await
}

async fn serve_all(
    listener: Listening<TcpStream>,
    secured: Secured,
    app: App,
    config: WebConfig,
    senders: Senders,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), CliError> {
    let db = app.db.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(app.clone().watch_unfinished_runs());
    tasks.spawn(follow::stages(app.clone()));
    tasks.spawn(follow::housekeeping(app.clone()));
    tasks.spawn(super::tell::tell(app.clone(), config.origin_text(), config.sessions));
    if let Some(asns) = config.asns.clone() {
        tasks.spawn(follow::asns(asns));
    }
    let Secured { identity, main, asking } = secured;
    if let Some(identity) = identity {
        let authorities = config.certificates.clone().map(|c| c.authorities);
        tasks.spawn(follow::certificates(app.clone(), identity, authorities));
    }
    let web = Web::new(app, config).map_err(|e| CliError::Said(e.to_string()))?;
    if let Some(mailer) = senders.mailer {
        tasks.spawn(mailer.deliver(web.clone()));
    }
    if let Some(webhook) = senders.webhook {
        tasks.spawn(webhook.deliver(web.clone()));
    }
    let (end, mut ending) = watch::channel(false);
    if let Some(listener) = asking {
        let router = warifu_web::certificates::router(web.clone());
        let front = move |peer| Extension::<Peer>(peer).layer(router.clone());
        tasks.spawn(serve_tls(listener, front, ending.clone()));
    }
    let front = warifu_web::fronts(web);
    if let Some(listener) = main {
        tasks.spawn(serve_tls(listener, front.clone(), ending.clone()));
    }
    let server = listening::serve(listener, front, async move {
        stop.await;
        let _ = end.send(true);
    });
    let late = async move {
        let _ = ending.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server => ended.map_err(CliError::io("the server broke"))?,
        () = late => tracing::warn!("requests that were still open were cut off"),
    }
    tasks.shutdown().await;
    db.close().await;
    Ok(())
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
