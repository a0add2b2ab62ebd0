//! What people and programs type: codes, times, scopes, definitions of reports.

use proptest::prelude::*;
use warifu_domain::Timestamp;
use warifu_domain::reports::{Definition, Subject};
use warifu_domain::services::Scopes;
use warifu_domain::verification::{code_text, normal};
use warifu_fuzz::{fuzz, inputs};

#[test]
fn fuzzed_codes_and_times() {
    let code = code_text(&[9; 32]);
    let valid = [
        "OIL-0 1l",
        "2023-09-28T15:06:00Z",
        "2023-09-28 15:06",
        "2023-09-28",
        "2023-09-28T15:06:00.123456+09:00",
        "cases:read ledger:read",
        code.as_str(),
        "１２３ ４５６",
    ];
    let words = [
        "-", " ", "\u{3000}", "T", "Z", "+25:00", "-0001", "9999", "ß", "ŉ", "[UTC]", "24:00", "60",
    ];
    fuzz("codes and times", (inputs(&valid, &words), any::<[u8; 32]>()), |(input, random)| {
        let text = input.text();
        let meant = normal(&text);
        assert_eq!(normal(&meant), meant, "a reading of a reading");
        assert!(meant.chars().count() <= 64 && !meant.contains(['-', 'O', 'I', 'L']));
        // A code is read as it is printed, however it is typed.
        let printed = code_text(&random);
        let typed: String =
            printed.chars().flat_map(|c| [c.to_ascii_lowercase(), ' ', '-']).collect();
        assert_eq!(normal(&typed), normal(&printed));
        if let Ok(at) = Timestamp::parse(&text) {
            let written = at.to_jiff().to_string();
            assert_eq!(Timestamp::parse(&written).ok(), Some(at), "{written}");
        }
        if let Some(scopes) = Scopes::parse(&text) {
            assert_eq!(Scopes::parse(&scopes.text()), Some(scopes));
            assert!(
                text.split_ascii_whitespace().all(|s| scopes.text().split(' ').any(|t| t == s))
            );
        }
    });
}

#[test]
fn fuzzed_definitions_of_reports() {
    let whole = |subject| serde_json::to_string(&Definition::of_everything(subject)).unwrap();
    let mut valid = vec![whole(Subject::People), whole(Subject::Cases)];
    let filter = |text: &str| {
        let mut definition: serde_json::Value = serde_json::from_str(&valid[0]).unwrap();
        definition["filter"] = serde_json::from_str(text).unwrap();
        definition.to_string()
    };
    let filters = [
        r#"{"all":[{"column":"email","op":"contains","value":"@example.com"},{"any":[{"column":"email","op":"blank"}]}]}"#,
        r#"{"not":{"column":"id","op":"one_of","value":[1,2,3]}}"#,
    ];
    let more: Vec<String> = filters.iter().map(|f| filter(f)).collect();
    valid.extend(more);
    let words = [
        "\"column\":",
        "\"op\":\"equals\",",
        "{\"all\":[",
        "{\"any\":[",
        "{\"not\":",
        "]}",
        "}",
        "null",
        "1e400",
        "'; DROP TABLE",
        "\"limit\":18446744073709551616,",
        "\\u0000",
        "\"email\"",
    ];
    fuzz("definitions of reports", inputs(&valid, &words), |input| {
        let Ok(definition) = serde_json::from_slice::<Definition>(&input.0) else { return };
        let written = serde_json::to_string(&definition).expect("it can be written");
        let again: Definition = serde_json::from_str(&written).expect("what is written is read");
        assert_eq!(again, definition);
        if let Ok(filter) = definition.check() {
            let columns = definition.subject.columns();
            assert!(filter.columns_used().iter().all(|c| *c < columns.len()));
            let known = |key: &String| columns.iter().any(|c| c.key == key);
            assert!(definition.columns.iter().all(known) && !definition.columns.is_empty());
            assert!(definition.filter.conditions().iter().all(|c| known(&c.column)));
            assert_eq!(
                definition.column_indices().map(|c| c.len()).ok(),
                Some(definition.columns.len())
            );
        }
    });
}
