//! `POST /cases/{reference}/answer`: a reply to the customer or an internal note, with files.

use super::show::Show;
use crate::csrf::Multipart;
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::cases::{Arrived, Composer};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use warifu_app::AppError;
use warifu_app::attachments::Upload;
use warifu_app::cases::{Answer, Sent};
use warifu_domain::MessageId;
use warifu_domain::cases::{MAX_MESSAGE, MessageKind, Status};
use warifu_domain::refusal;

/// What a form with a text and files holds.
#[derive(Debug, Default)]
pub struct Written {
    /// Fields by name, in their order; texts only.
    fields: Vec<(String, String)>,
    pub files: Vec<Upload>,
}

impl Written {
    pub fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
    }

    /// Reads a form. Files go to the store as they come; what is refused later leaves a file that
    /// nothing names.
    ///
    /// # Errors
    /// When a field is too long, or a file is refused.
    pub async fn read(web: &Web, form: &mut Multipart) -> Result<Written, Problem> {
        let mut written = Written::default();
        while let Some(mut field) = form.next_field().await? {
            let name = field.name().unwrap_or_default().to_owned();
            let broken = |e: axum::extract::multipart::MultipartError| {
                Problem::new(e.status(), "invalid").with(e.body_text())
            };
            if let Some(file) = field.file_name().map(str::to_owned) {
                let kind = field.content_type().unwrap_or_default().to_owned();
                let mut incoming = None;
                while let Some(chunk) = field.chunk().await.map_err(broken)? {
                    // What a browser sends for no file is one without a name and without bytes.
                    if chunk.is_empty() && file.is_empty() {
                        continue;
                    }
                    if incoming.is_none() {
                        incoming = Some(web.app.receive(&file, &kind)?);
                    }
                    if let Some(incoming) = &mut incoming {
                        incoming.write(&chunk).await?;
                    }
                }
                if written.files.len() >= warifu_app::attachments::MOST_FILES {
                    return Err(Problem::invalid(
                        "files",
                        refusal!(
                            "files-many",
                            "at most {limit} files at once",
                            limit = warifu_app::attachments::MOST_FILES
                        ),
                    ));
                }
                if let Some(incoming) = incoming {
                    written.files.push(incoming.finish().await?);
                }
                continue;
            }
            let mut text = Vec::new();
            while let Some(chunk) = field.chunk().await.map_err(broken)? {
                text.extend_from_slice(&chunk);
                // A little more than a message may have, so that the use case can say by how much.
                if text.len() > MAX_MESSAGE + 65_536 {
                    return Err(AppError::TooLarge {
                        bytes: text.len() as u64,
                        limit: MAX_MESSAGE as u64,
                    }
                    .into());
                }
            }
            let text = String::from_utf8(text)
                .map_err(|_| Problem::invalid("text", refusal!("utf8", "no UTF-8")))?;
            if written.fields.len() >= 100 {
                return Err(Problem::invalid("form", refusal!("fields-many", "too many fields")));
            }
            written.fields.push((name, text));
        }
        Ok(written)
    }
}

pub async fn answer(
    State(web): State<Web>,
    who: Staff,
    Path(reference): Path<String>,
    mut form: Multipart,
) -> Result<Response, Problem> {
    let id = super::number(&web, &reference)?;
    // Nothing is read for a case that is not there.
    if !web.app.may_see_case(who.actor(), id).await? {
        return Err(Problem::not_found());
    }
    let mut written = Written::read(&web, &mut form).await?;
    let files = std::mem::take(&mut written.files);
    let (text, note) = (written.get("text").to_owned(), written.get("kind") == "note");
    // "Send mine too" names the message that was read.
    let seen = [written.get("anyway"), written.get("last_seen")];
    let last_seen = seen.iter().find_map(|s| s.parse::<MessageId>().ok());
    let then = super::status(written.get("then"))?;

    let composer = |error: Option<String>, arrived: Option<Arrived>| Composer {
        text: text.clone(),
        note,
        last_seen: last_seen.map(|l| l.to_string()).unwrap_or_default(),
        arrived,
        error,
        ..Composer::default()
    };
    let again =
        async |code, composer| super::case::shown(&web, &who, id, "", None, composer, code).await;
    let sent = if note {
        let noted = web.app.note(who.actor(), id, &text, files).await;
        match (noted, then) {
            (Ok(message), None) => Ok(Sent::Yes(message)),
            (Ok(message), Some(status)) => {
                set_status(&web, &who, id, status).await.map(|()| Sent::Yes(message))
            }
            (Err(e), _) => Err(e),
        }
    } else {
        let answer = Answer { body: text.clone(), then, last_seen, files };
        web.app.reply(who.actor(), id, answer).await
    };
    match sent {
        Ok(Sent::Yes(message)) => {
            Ok(Redirect::to(&format!("/cases/{}#m-{message}", web.app.case_reference(id)))
                .into_response())
        }
        Ok(Sent::Arrived(message)) => {
            let show = Show::to(&web, &who);
            let name = web.app.name_of(message.author).await?;
            let arrived = Arrived {
                who: name,
                customer: message.kind == MessageKind::Customer,
                at: show.lang.time(message.at.to_jiff(), &jiff::tz::TimeZone::UTC),
                id: message.id.to_string(),
            };
            again(StatusCode::CONFLICT, composer(None, Some(arrived))).await
        }
        Err(AppError::Invalid { what, .. }) => {
            let lang = who.taste.lang;
            let why = lang.t_args("error-text", &[("why", &lang.refusal(&what))]);
            again(StatusCode::UNPROCESSABLE_ENTITY, composer(Some(why), None)).await
        }
        Err(AppError::Conflict(what)) => {
            let lang = who.taste.lang;
            let why = lang.t_args("error-text", &[("why", &lang.refusal(&what))]);
            again(StatusCode::CONFLICT, composer(Some(why), None)).await
        }
        Err(e) => Err(e.into()),
    }
}

async fn set_status(
    web: &Web,
    who: &Staff,
    id: warifu_domain::CaseId,
    status: Status,
) -> Result<(), AppError> {
    let wanted = warifu_app::cases::Properties { status: Some(status), ..Default::default() };
    web.app.set_properties(who.actor(), id, &wanted, None).await.map(drop)
}
