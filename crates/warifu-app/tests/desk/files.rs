//! Files in and out.

use crate::{World, on_both};
use futures_util::TryStreamExt;
use warifu_app::AppError;
use warifu_app::accesses::Shown;
use warifu_app::attachments::Upload;
use warifu_app::cases::{Answer, CaseEvent};
use warifu_app::egress::Page;
use warifu_domain::access::Actor;
use warifu_domain::{AttachmentId, CaseId};
use warifu_ledger::Kind;

const SECRET: &str = "planted-session-token-1";
const HAR: &str = r#"{"log":{"version":"1.2","creator":{"name":"b","version":"1"},"entries":[
    {"startedDateTime":"2026-11-23T09:00:00.000Z","time":1,"request":{"method":"GET","url":"https://a.example/x","httpVersion":"h2","cookies":[],
    "headers":[{"name":"Cookie","value":"sid=planted-session-token-1"}],"queryString":[],"headersSize":1,"bodySize":0},
    "response":{"status":200,"statusText":"OK","httpVersion":"h2","cookies":[],"headers":[],"content":{"size":0,"mimeType":"text/plain"},"redirectURL":"","headersSize":1,"bodySize":0},
    "cache":{},"timings":{"send":0,"wait":1,"receive":0}}]}}"#;

async fn upload(w: &World, name: &str, bytes: &[u8]) -> Result<Upload, AppError> {
    let mut incoming = w.app.receive(name, "application/json")?;
    for chunk in bytes.chunks(1_000) {
        incoming.write(chunk).await?;
    }
    incoming.finish().await
}

async fn with_file(w: &World, actor: &Actor, id: CaseId, file: Upload) {
    let answer = Answer { body: "see file".into(), files: vec![file], ..Answer::default() };
    w.app.answer_case(actor, id, answer).await.unwrap();
}

async fn fetch(w: &World, actor: &Actor, id: AttachmentId) -> Result<Vec<u8>, AppError> {
    let download = w.app.open_attachment(actor, id).await?;
    let parts: Vec<_> = download.stream.try_collect().await?;
    Ok(parts.concat())
}

fn every_file(folder: &std::path::Path, all: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            every_file(&path, all);
        } else {
            all.push(std::fs::read(path).unwrap());
        }
    }
}

#[test]
fn a_har_is_sanitized_before_it_is_stored() {
    on_both(async |w| {
        let id = w.ask(&w.kenta, "Trace", "see file").await;
        let file = upload(w, "trace.har", HAR.as_bytes()).await.unwrap();
        assert!(file.har_receipt.as_deref().unwrap().contains("\"cookie\""));
        with_file(w, &w.kenta, id, file).await;
        let open = w.app.open_case(&w.agent, id, None).await.unwrap();
        let stored = &open.entries.iter().flat_map(|e| &e.files).next().unwrap().clone();
        assert_eq!(stored.name, "trace.har");
        let text = fetch(w, &w.agent, stored.id).await.unwrap();
        assert_eq!(text.len() as i64, stored.bytes);
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("a.example") && !text.contains(SECRET));
        // Nowhere in the data folder, under whatever name.
        let mut all = Vec::new();
        every_file(&w.app.config.data, &mut all);
        for bytes in all {
            assert!(!bytes.windows(SECRET.len()).any(|p| p == SECRET.as_bytes()));
        }
        let broken = &HAR.as_bytes()[..500];
        assert!(matches!(upload(w, "x.json", broken).await, Err(AppError::Invalid { .. })));
    });
}

#[test]
fn a_download_is_in_the_ledger_before_its_first_byte_and_in_the_timeline() {
    on_both(async |w| {
        let id = w.ask(&w.kenta, "Log", "see file").await;
        let file = upload(w, "../../app.log", b"hello").await.unwrap();
        let digest = file.sha256.clone();
        with_file(w, &w.kenta, id, file).await;
        let file = w.app.open_case(&w.kenta, id, None).await.unwrap().entries[1].files[0].clone();
        assert_eq!((file.name.as_str(), file.bytes, &file.sha256), ("app.log", 5, &digest));
        let downloads = async || {
            let entries = w.ledger().await;
            entries.into_iter().filter(|e| e.kind == Kind::AttachmentDownload).collect::<Vec<_>>()
        };
        let download = w.app.open_attachment(&w.agent, file.id).await.unwrap();
        let entries = downloads().await;
        assert_eq!(entries.len(), 1, "before a byte was read");
        assert_eq!(entries[0].body["bytes"], "5");
        drop(download);
        // The customer reads who opened it.
        let open = w.app.open_case(&w.kenta, id, None).await.unwrap();
        assert_eq!(open.entries.last().unwrap().event, Some(CaseEvent::FileOpened(file.id)));
        // Others' files are not there, and leave no trace of having been tried.
        for actor in [&w.stranger, &w.strange_owner, &w.yui, &w.responder] {
            assert!(matches!(
                w.app.open_attachment(actor, file.id).await.err(),
                Some(AppError::NotFound("attachment"))
            ));
        }
        assert_eq!(downloads().await.len(), 1);
        assert_eq!(fetch(w, &w.owner, file.id).await.unwrap(), b"hello");
    });
}

#[test]
fn a_file_of_a_note_is_not_there_for_customers() {
    on_both(async |w| {
        let id = w.ask(&w.kenta, "Log", "text").await;
        let file = upload(w, "internal.txt", b"internal").await.unwrap();
        w.app.note(&w.agent, id, "look", vec![file]).await.unwrap();
        let open = w.app.open_case(&w.agent, id, None).await.unwrap();
        let file = open.entries.iter().flat_map(|e| &e.files).next().unwrap().id;
        assert!(fetch(w, &w.agent, file).await.is_ok());
        for actor in [&w.kenta, &w.owner] {
            assert!(matches!(fetch(w, actor, file).await, Err(AppError::NotFound("attachment"))));
            // Nor is that somebody opened it.
            let own = w.app.open_case(actor, id, None).await.unwrap();
            assert_eq!(own.entries.len(), 1, "{:?}", own.entries);
        }
    });
}

#[test]
fn a_file_over_the_limit_is_refused_while_it_comes() {
    on_both(async |w| {
        let limit = w.app.config.attachment_limit;
        let mut incoming = w.app.receive("big", "").unwrap();
        incoming.write(&vec![0; limit as usize]).await.unwrap();
        let over = incoming.write(b"1").await;
        assert!(
            matches!(over, Err(AppError::TooLarge { bytes, limit: l }) if bytes == limit + 1 && l == limit)
        );
    });
}

#[test]
fn a_page_of_records_has_its_entry() {
    on_both(async |w| {
        let query = serde_json::json!({"limit": 2, "after": "7"});
        let page = Page {
            route: "/api/v1/people",
            organization: Some(w.mizuno),
            query: &query,
            ids: &[8, 9],
            shown: &Shown::Nobody,
            body: b"[{},{}]",
        };
        let seq = w.app.record_page(&w.agent, &page).await.unwrap();
        let entry = w.ledger().await.remove(seq as usize);
        assert_eq!(entry.kind, Kind::ApiPage);
        assert_eq!((&entry.body["rows"], &entry.body["bytes"]), (&"2".into(), &"7".into()));
        let other = w
            .app
            .record_page(&w.agent, &Page { ids: &[8, 10], shown: &Shown::Nobody, ..page })
            .await
            .unwrap();
        let other = w.ledger().await.remove(other as usize);
        assert_ne!(entry.body["row_ids"], other.body["row_ids"]);
    });
}
