//! A preview in the middle of changes.

use crate::installation::{Installation, super_administrator, take};
use warifu_domain::organizations::Environment;
use warifu_domain::reports::{Definition, Format, Subject};
use warifu_domain::{OrganizationId, PersonId};
use warifu_storage::{organizations, people};

/// The first preview reads everybody into memory; the later ones add what has changed since. Each has
/// to say what the file then is.
pub async fn preview_follows_changes(i: &Installation) {
    let first = i.people(400).await;
    let a = super_administrator();
    let filters = [
        r#"{"all":[]}"#,
        r#"{"column":"phone","op":"filled"}"#,
        r#"{"column":"full_name","op":"contains","value":"7"}"#,
        r#"{"all":[{"column":"environment","op":"not_equals","value":"preview"},
            {"column":"active","op":"equals","value":true}]}"#,
        r#"{"any":[{"column":"last_login","op":"before","value":"2023-09-01"},
            {"column":"organization_id","op":"from","value":3},
            {"not":{"column":"user_type","op":"one_of","value":["Employee","Customer"]}}]}"#,
    ];
    for step in 0..6_i64 {
        let mut change = i.app.change().await.unwrap();
        let revision = change.revision();
        for n in 0..step * 20 {
            let id = PersonId(1 + (n * 37 + step * 53) % 400);
            let mut p = people::find(&mut change.conn(), id).await.unwrap().unwrap();
            p.record.phone = (n % 3 > 0).then(|| format!("+81 {step}, {n}"));
            p.record.full_name = Some(format!("佐藤 {n} \"{step}\""));
            p.active = n % 5 > 0;
            p.organization = OrganizationId(first.0 + n % 7);
            people::update(&mut change.conn(), revision, &p).await.unwrap();
        }
        change.commit().await.unwrap();
        if step == 3 {
            // What a person's organization is called changes without the person.
            let mut change = i.app.change().await.unwrap();
            let revision = change.revision();
            let found = organizations::find(&mut change.conn(), first).await.unwrap();
            let mut of = found.unwrap();
            of.environment = Environment::Production;
            organizations::update(&mut change.conn(), revision, first, &of).await.unwrap();
            change.commit().await.unwrap();
        }
        for (n, filter) in filters.into_iter().enumerate() {
            let mut definition = Definition::of_everything(Subject::People);
            if (n as i64 + step) % 3 == 1 {
                definition.format = Format::JsonLines;
            }
            definition.filter = serde_json::from_str(filter).unwrap();
            let preview = i.app.preview(&a, &definition).await.unwrap();
            let (id, bytes) = take(&i.app, &a, &definition).await;
            let run = i.app.run(&a, id).await.unwrap();
            assert_eq!(preview.rows, run.rows as u64, "{step} {filter}");
            assert_eq!(preview.bytes, bytes.len() as u64, "{step} {filter}");
            let columns: Vec<u64> = serde_json::from_str(&run.column_bytes).unwrap();
            let summed: Vec<u64> = preview.fields.iter().map(|f| f.bytes).collect();
            assert_eq!(summed, columns, "{step} {filter}");
            // With a limit the same is counted row by row.
            let counted = Definition { limit: Some(100_000), ..definition };
            let counted = i.app.preview(&a, &counted).await.unwrap();
            assert_eq!(preview.bytes, counted.bytes, "{step} {filter}");
            assert_eq!(preview.organizations, counted.organizations, "{step} {filter}");
            assert_eq!(preview.fields, counted.fields, "{step} {filter}");
            assert_eq!(preview.sample, counted.sample, "{step} {filter}");
        }
    }
}
