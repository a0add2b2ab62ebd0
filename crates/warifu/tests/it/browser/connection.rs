//! The Chrome DevTools protocol over one WebSocket: commands, answers, events.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;

/// An event: its method and its parameters.
pub type Event = (String, Value);

/// How long one command may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct State {
    waiting: HashMap<u64, oneshot::Sender<Result<Value, String>>>,
    sessions: HashMap<String, mpsc::UnboundedSender<Event>>,
}

/// Shared by the browser and all its pages.
pub struct Connection {
    out: mpsc::UnboundedSender<String>,
    next: AtomicU64,
    state: Arc<Mutex<State>>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(|e| e.into_inner())
}

impl Connection {
    /// Connects to the browser at `ws://127.0.0.1:PORT/devtools/browser/ID`.
    pub async fn open(url: &str) -> Arc<Self> {
        let (socket, _) = tokio_tungstenite::connect_async(url)
            .await
            .unwrap_or_else(|e| panic!("cannot reach the browser at {url}: {e}"));
        let (mut sink, mut stream) = socket.split();
        let (out, mut outgoing) = mpsc::unbounded_channel::<String>();
        tokio::spawn(async move {
            while let Some(text) = outgoing.recv().await {
                if sink.send(Message::text(text)).await.is_err() {
                    break;
                }
            }
        });
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                if let Message::Text(text) = message {
                    dispatch(&shared, serde_json::from_str(&text).expect("the browser sends JSON"));
                }
            }
            // Whoever waits learns that nothing will come.
            *lock(&shared) = State::default();
        });
        Arc::new(Self { out, next: AtomicU64::new(1), state })
    }

    /// The events of one session from now on.
    pub fn events(&self, session: &str) -> mpsc::UnboundedReceiver<Event> {
        let (sender, receiver) = mpsc::unbounded_channel();
        lock(&self.state).sessions.insert(session.to_owned(), sender);
        receiver
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    /// What the browser says against it.
    pub async fn call(
        &self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Result<Value, String> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut command = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let (sender, answer) = oneshot::channel();
        lock(&self.state).waiting.insert(id, sender);
        self.out.send(command.to_string()).map_err(|_| "the browser is gone".to_owned())?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("the browser is gone".to_owned()),
            Err(_) => Err(format!("no answer within {PATIENCE:?}")),
        }
    }
}

fn dispatch(state: &Mutex<State>, mut message: Value) {
    if let Some(id) = message["id"].as_u64() {
        if let Some(waiting) = lock(state).waiting.remove(&id) {
            let answer = match message.get("error") {
                Some(error) => Err(error.to_string()),
                None => Ok(message["result"].take()),
            };
            let _ = waiting.send(answer);
        }
    } else if let Some(session) = message["sessionId"].as_str() {
        let method = message["method"].as_str().unwrap_or("").to_owned();
        let sender = lock(state).sessions.get(session).cloned();
        if let Some(sender) = sender {
            let _ = sender.send((method, message["params"].take()));
        }
    }
}
