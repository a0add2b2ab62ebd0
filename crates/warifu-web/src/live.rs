//! Server-sent events: an open page is told what of it is out of date, never what is new; it asks
//! for that with its own rights. Listening does not extend a session, and ends with it.

use crate::cases::number;
use crate::lang::cookie;
use crate::problem::Problem;
use crate::session::{COOKIE, SignedIn};
use crate::state::Web;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio_stream::wrappers::ReceiverStream;
use warifu_app::live::Event;
use warifu_app::sessions::Use;
use warifu_auth::{DEVICE_COOKIE, Verdict};
use warifu_domain::CaseId;
use warifu_domain::access::Actor;

/// How often the session is asked for while nothing happens.
const CHECK: Duration = Duration::from_secs(20);

type Stale = Sse<axum::response::sse::KeepAliveStream<ReceiverStream<Result<Sent, Infallible>>>>;

/// What of one open case is out of date, as server-sent events: `event: stale` with the parts of
/// the page, `event: ended` when the session is over. The same for `/cases/{reference}/events` and
/// the portal.
#[utoipa::path(get, path = "/api/v1/cases/{id}/events", params(("id" = String, Path)),
    responses((status = 200, content_type = "text/event-stream"), (status = 404)))]
pub async fn case(
    State(web): State<Web>,
    who: SignedIn,
    headers: HeaderMap,
    Path(reference): Path<String>,
) -> Result<Stale, Problem> {
    let id = number(&web, &reference)?;
    if !web.app.may_see_case(who.actor(), id).await? {
        return Err(Problem::not_found());
    }
    Ok(stream(web, who, &headers, Some(id)))
}

/// The same for lists; also `/events`.
#[utoipa::path(get, path = "/api/v1/events", responses((status = 200, content_type = "text/event-stream")))]
pub async fn all(State(web): State<Web>, who: SignedIn, headers: HeaderMap) -> Stale {
    stream(web, who, &headers, None)
}

/// What of a page an event makes stale.
fn selectors(event: Event, open: Option<CaseId>) -> &'static str {
    match (event, open) {
        (Event::Case(id, _), Some(open)) if id == open => "#talk\n#props\n#case-list",
        (Event::Case(..), Some(_)) => "#case-list",
        (Event::Case(..), None) => "#rows",
        (Event::Run(_), None) => "#runs",
        (Event::Incident(_), None) => "#incident",
        _ => "",
    }
}

fn stream(web: Web, who: SignedIn, headers: &HeaderMap, open: Option<CaseId>) -> Stale {
    let token = cookie(headers, COOKIE).unwrap_or_default().to_owned();
    let device = cookie(headers, DEVICE_COOKIE).map(str::to_owned);
    let network = who.actor().network.clone();
    let (out, receiver) = tokio::sync::mpsc::channel(16);
    let mut events = web.app.live.subscribe();
    tokio::spawn(async move {
        loop {
            let event = tokio::select! {
                event = events.recv() => Some(event),
                () = tokio::time::sleep(CHECK) => None,
                () = out.closed() => return,
            };
            // The session is asked for with every event: what was revoked learns nothing more,
            // not even that something happened.
            let by = Use { network: &network, by_hand: false, device: device.as_deref() };
            let actor = match web.app.session(&token, by, &web.config.sessions).await {
                Ok(Ok(session)) => session.actor,
                // The short cookie with which it began is over: the browser asks anew with the next.
                Ok(Err(Verdict::OtherDevice)) => return,
                Ok(Err(_)) => {
                    let _ = out.send(Ok(Sent::default().event("ended").data("-"))).await;
                    return;
                }
                // The database is away: nothing can be told now.
                Err(_) => continue,
            };
            let stale = match event {
                None => continue,
                Some(Ok(event)) => match told(&web, &actor, event, open).await {
                    Some(stale) => stale,
                    None => continue,
                },
                Some(Err(RecvError::Lagged(_))) => "#talk\n#props\n#case-list\n#rows",
                Some(Err(RecvError::Closed)) => return,
            };
            if out.send(Ok(Sent::default().event("stale").data(stale))).await.is_err() {
                return;
            }
        }
    });
    Sse::new(ReceiverStream::new(receiver))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

/// What an event says to an actor; nothing about what does not exist for them.
async fn told(
    web: &Web,
    actor: &Actor,
    event: Event,
    open: Option<CaseId>,
) -> Option<&'static str> {
    let stale = selectors(event, open);
    let visible = match event {
        Event::Case(id, _) => web.app.may_see_case(actor, id).await.unwrap_or(false),
        Event::Run(_) | Event::Incident(_) => actor.is_staff(),
    };
    (visible && !stale.is_empty()).then_some(stale)
}
