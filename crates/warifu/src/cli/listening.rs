//! Listeners whose connections have behind them what comes before HTTP: the header of a proxy, and a TLS
//! handshake.

use super::CliError;
use axum::extract::Request;
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use rustls::ServerConfig;
use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::{Service, service_fn};
use warifu_auth::{Announced, ForwardedBy, OPENING, Opening, Proxies};
use warifu_web::certificates::Peer;

/// How long a proxy's header may take: it is sent with the connection.
const HEADER: Duration = Duration::from_secs(5);
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connections that are not ready yet, at a time; who comes later waits.
const AT_A_TIME: usize = 256;

/// Whose connections are taken, and whose they are.
pub struct Gate {
    proxies: Proxies,
    /// What was said of strangers and of proxies. Once: whoever reaches the port must not fill the log.
    told: [AtomicBool; 2],
}

impl Gate {
    pub fn new(proxies: Proxies) -> Arc<Gate> {
        Arc::new(Gate { proxies, told: [const { AtomicBool::new(false) }; 2] })
    }

    /// The address that a connection counts as coming from. Where proxies announce it, nobody but a declared
    /// proxy is listened to: not one byte of anybody else is read.
    async fn admit(&self, socket: &mut TcpStream, peer: SocketAddr) -> Option<SocketAddr> {
        if self.proxies.by() != ForwardedBy::ProxyProtocol {
            return Some(peer);
        }
        if !self.proxies.trusts(peer.ip()) {
            self.refused(0, peer, "it is no declared proxy (--trusted-proxy)");
            return None;
        }
        match tokio::time::timeout(HEADER, announced(socket)).await {
            Ok(Ok(Announced::Own)) => Some(peer),
            Ok(Ok(Announced::Of(client))) => Some(client),
            Ok(Err(why)) => {
                self.refused(1, peer, &why);
                None
            }
            Err(_) => {
                self.refused(1, peer, "its header took too long");
                None
            }
        }
    }

    fn refused(&self, of: usize, peer: SocketAddr, why: &str) {
        if self.told[of].swap(true, Ordering::Relaxed) {
            tracing::debug!(%peer, why, "a connection was refused");
        } else {
            tracing::warn!(%peer, why, "a connection was refused; later ones are told at the level of debugging");
        }
    }
}

/// Reads a proxy's header, and not a byte more.
async fn announced(socket: &mut TcpStream) -> Result<Announced, String> {
    let mut opening = [0; OPENING];
    socket.read_exact(&mut opening).await.map_err(|e| e.to_string())?;
    let opening = Opening::read(&opening).map_err(|e| e.to_string())?;
    let mut rest = vec![0; opening.rest()];
    socket.read_exact(&mut rest).await.map_err(|e| e.to_string())?;
    opening.announced(&rest).map_err(|e| e.to_string())
}

/// What a listener gives: a socket as it is, or TLS on it.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send + Sized + 'static {
    /// What makes one of a socket.
    type By: Clone + Send + Sync + 'static;

    /// `None` for a connection that came to nothing.
    fn on(socket: TcpStream, by: Self::By) -> impl Future<Output = Option<Self>> + Send;

    /// The certificates that the other side showed, its own first.
    fn certificates(&self) -> Vec<Vec<u8>>;
}

impl Wire for TcpStream {
    type By = ();

    async fn on(socket: TcpStream, (): ()) -> Option<TcpStream> {
        Some(socket)
    }

    fn certificates(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }
}

impl Wire for TlsStream<TcpStream> {
    type By = TlsAcceptor;

    async fn on(socket: TcpStream, by: TlsAcceptor) -> Option<TlsStream<TcpStream>> {
        match tokio::time::timeout(HANDSHAKE, by.accept(socket)).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(%error, "no TLS connection");
                None
            }
            Err(_) => {
                tracing::debug!("a TLS handshake took too long");
                None
            }
        }
    }

    fn certificates(&self) -> Vec<Vec<u8>> {
        let shown = self.get_ref().1.peer_certificates().unwrap_or_default();
        shown.iter().map(|c| c.to_vec()).collect()
    }
}

/// A listener whose connections are ready.
pub struct Listening<W> {
    ready: mpsc::Receiver<(W, SocketAddr)>,
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

/// One that speaks TLS.
pub type TlsListener = Listening<TlsStream<TcpStream>>;

impl<W> Drop for Listening<W> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TlsListener {
    /// Listens for TLS.
    ///
    /// # Errors
    /// When the address is taken or not this machine's.
    pub async fn bind(
        address: SocketAddr,
        config: ServerConfig,
        gate: Arc<Gate>,
    ) -> Result<TlsListener, CliError> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(CliError::io(format!("cannot listen on {address}")))?;
        Listening::new(listener, TlsAcceptor::from(Arc::new(config)), gate)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl<W: Wire> Listening<W> {
    /// Makes connections ready beside each other, so that a slow one delays nobody.
    ///
    /// # Errors
    /// When the listener has no address any more.
    pub fn new(
        listener: TcpListener,
        by: W::By,
        gate: Arc<Gate>,
    ) -> Result<Listening<W>, CliError> {
        let address = listener.local_addr().map_err(CliError::io("cannot listen"))?;
        let (send, ready) = mpsc::channel(16);
        let task = tokio::spawn(accept(listener, by, gate, send));
        Ok(Listening { ready, address, task })
    }
}

async fn accept<W: Wire>(
    mut listener: TcpListener,
    by: W::By,
    gate: Arc<Gate>,
    send: mpsc::Sender<(W, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(AT_A_TIME));
    while !send.is_closed() {
        // axum's own way of taking a connection waits where the process has no file left.
        let (mut socket, peer) = Listener::accept(&mut listener).await;
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (by, gate, send) = (by.clone(), gate.clone(), send.clone());
        tokio::spawn(async move {
            let Some(address) = gate.admit(&mut socket, peer).await else { return };
            let made = W::on(socket, by).await;
            drop(place);
            if let Some(wire) = made {
                let _ = send.send((wire, address)).await;
            }
        });
    }
}

impl<W: Wire> Listener for Listening<W> {
    type Io = W;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // Only at the end of the program.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Serves what `front` makes for each connection until `stop` ends, then lets open requests end.
///
/// # Errors
/// When the listener breaks.
pub async fn serve<W: Wire, S>(
    listener: Listening<W>,
    front: impl Fn(Peer) -> S + Clone + Send + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let connected = service_fn(move |stream: IncomingStream<'_, Listening<W>>| {
        let certificates = Arc::new(stream.io().certificates());
        let peer = Peer { address: *stream.remote_addr(), certificates };
        ready(Ok::<_, Infallible>(front(peer)))
    });
    axum::serve(listener, connected).with_graceful_shutdown(stop).await
}
