//! Kinds and bodies of entries in the reader's language.

use crate::i18n::Lang;
use crate::views::markup::Choice;
use serde_json::Value;

/// The message that names a kind.
pub fn kind(kind: &str) -> &'static str {
    match kind {
        "report_start" => "kind-report-start",
        "report_end" => "kind-report-end",
        "report_abort" => "kind-report-abort",
        "report_refused" => "kind-report-refused",
        "transfer_start" => "kind-transfer-start",
        "transfer_end" => "kind-transfer-end",
        "transfer_abort" => "kind-transfer-abort",
        "attachment_download" => "kind-attachment-download",
        "api_page" => "kind-api-page",
        "reading_stopped" => "kind-reading-stopped",
        "mail_sent" => "kind-mail-sent",
        "replay" => "kind-replay",
        "match" => "kind-match",
        "sign_in" => "kind-sign-in",
        "sign_in_refused" => "kind-sign-in-refused",
        "sign_out" => "kind-sign-out",
        "session_revoked" => "kind-session-revoked",
        "step_up" => "kind-step-up",
        "enrolment" => "kind-enrolment",
        "verification" => "kind-verification",
        "protected_action" => "kind-protected-action",
        "case_change" => "kind-case-change",
        "person_change" => "kind-person-change",
        "organization_change" => "kind-organization-change",
        "role_change" => "kind-role-change",
        "policy_change" => "kind-policy-change",
        "erasure" => "kind-erasure",
        "incident_change" => "kind-incident-change",
        "evidence_bundle" => "kind-evidence-bundle",
        "key_change" => "kind-key-change",
        _ => "kind-any",
    }
}

const KINDS: [&str; 30] = [
    "report_start",
    "report_end",
    "report_abort",
    "report_refused",
    "transfer_start",
    "transfer_end",
    "transfer_abort",
    "attachment_download",
    "api_page",
    "reading_stopped",
    "mail_sent",
    "replay",
    "match",
    "sign_in",
    "sign_in_refused",
    "sign_out",
    "session_revoked",
    "step_up",
    "enrolment",
    "verification",
    "protected_action",
    "case_change",
    "person_change",
    "organization_change",
    "role_change",
    "policy_change",
    "erasure",
    "incident_change",
    "evidence_bundle",
    "key_change",
];

/// Kinds to filter by.
pub fn kinds(lang: Lang, chosen: &str) -> Vec<Choice> {
    let all = Choice::new("", lang.t("kind-any"), chosen.is_empty());
    let each = KINDS.iter().map(|k| Choice::new(*k, lang.t(kind(k)), *k == chosen));
    std::iter::once(all).chain(each).collect()
}

/// A count of a body: written as a decimal text or a number.
pub fn count(body: &Value, key: &str) -> Option<i64> {
    match &body[key] {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

/// What the entry is about, in short.
pub fn detail(body: &Value) -> String {
    let text = |key: &str| body[key].as_str().map(str::to_owned);
    let named = |key: &str, prefix: &str| text(key).map(|t| format!("{prefix} {t}"));
    named("run", "run")
        .or_else(|| named("attachment", "attachment"))
        .or_else(|| text("route"))
        .or_else(|| named("incident", "incident"))
        .or_else(|| named("telemetry", "download"))
        .or_else(|| named("case", "case"))
        .or_else(|| named("organization", "organization"))
        .or_else(|| named("person", "person"))
        .or_else(|| text("policy"))
        .or_else(|| text("factor"))
        .unwrap_or_default()
}
