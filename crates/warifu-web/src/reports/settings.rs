//! Every choice of a CSV dialect as a field of the form. Values are the words of the definition's JSON,
//! so that the form can say whatever a definition can.

use crate::i18n::Lang;
use crate::views::markup::Choice;
use crate::views::reports::Setting;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use warifu_domain::dialect::{Dialect, TimestampText, TimestampWriter};

/// Names of the fields.
pub const NAMES: [&str; 16] = [
    "format",
    "delimiter",
    "quote",
    "eol",
    "encoding",
    "bom",
    "header",
    "header_quote",
    "null",
    "empty",
    "lone_blank",
    "timestamps",
    "zone",
    "final_newline",
    "footer",
    "null_text",
];

/// A dialect as what the fields say; `None` when it cannot be written down.
pub fn of(dialect: &Dialect) -> Option<BTreeMap<String, String>> {
    let Json::Object(fields) = serde_json::to_value(dialect).ok()? else { return None };
    let mut settings = BTreeMap::from([("format".to_owned(), "csv".to_owned())]);
    for (name, value) in fields {
        let text = match value {
            Json::Bool(yes) => if yes { "yes" } else { "no" }.to_owned(),
            Json::String(text) if text == "\t" => "tab".to_owned(),
            Json::String(text) => text,
            Json::Array(lines) => {
                lines.iter().filter_map(Json::as_str).collect::<Vec<_>>().join("\n")
            }
            // A word of one's own for what is missing.
            Json::Object(word) => {
                let text = word.get("text").and_then(Json::as_str)?;
                settings.insert("null_text".to_owned(), text.to_owned());
                "text".to_owned()
            }
            _ => String::new(),
        };
        settings.insert(name, text);
    }
    Some(settings)
}

/// The dialect that the fields say; a field that is missing says what the default does.
///
/// # Errors
/// The field that makes no sense, and why.
pub fn dialect(settings: &BTreeMap<String, String>) -> Result<Dialect, (&'static str, String)> {
    let mut fields = Map::new();
    for name in NAMES.into_iter().filter(|n| !matches!(*n, "format" | "null_text")) {
        let Some(text) = settings.get(name).map(|t| t.trim_matches(['\r', '\n'])) else { continue };
        let value = match name {
            "bom" | "header" | "final_newline" => Json::Bool(text == "yes"),
            "header_quote" if text.is_empty() => Json::Null,
            "null" if text == "text" => {
                let word = settings.get("null_text").map(String::as_str).unwrap_or_default();
                serde_json::json!({ "text": word })
            }
            "footer" if text.is_empty() => Json::Array(Vec::new()),
            "footer" => {
                text.split('\n').map(|line| Json::from(line.trim_end_matches('\r'))).collect()
            }
            "zone" => Json::from(text.trim()),
            _ if text.is_empty() => continue,
            _ => Json::from(text),
        };
        // One at a time, so that an error names its field.
        let alone = Json::Object(Map::from_iter([(name.to_owned(), value.clone())]));
        if let Err(e) = serde_json::from_value::<Dialect>(alone) {
            return Err((name, e.to_string()));
        }
        fields.insert(name.to_owned(), value);
    }
    serde_json::from_value(Json::Object(fields)).map_err(|e| ("format", e.to_string()))
}

/// 2023-09-28T15:06:00.25Z, as an example of every form.
const EXAMPLE: i64 = 1_695_913_560_250_000;

/// The fields of the page, in their order.
pub fn fields(lang: Lang, settings: &BTreeMap<String, String>) -> Vec<Setting> {
    let chosen = |name: &str| settings.get(name).map_or("", String::as_str);
    let select = |name: &str, label: &str, choices: &[(&str, String)]| Setting {
        name: name.to_owned(),
        label: lang.t(label),
        choices: choices
            .iter()
            .map(|(value, text)| Choice::new(*value, text, *value == chosen(name)))
            .collect(),
        text: String::new(),
        long: false,
    };
    let write = |name: &str, label: &str, long: bool| Setting {
        name: name.to_owned(),
        label: lang.t(label),
        choices: Vec::new(),
        text: chosen(name).to_owned(),
        long,
    };
    let plain = |text: &str| text.to_owned();
    let formats = [("csv", plain("CSV")), ("jsonl", plain("JSON Lines")), ("xlsx", plain("XLSX"))];
    let mut all = vec![select("format", "setting-format", &formats)];
    if matches!(chosen("format"), "jsonl" | "xlsx") {
        return all;
    }
    let yes_no = [("yes", lang.t("choice-yes")), ("no", lang.t("choice-no"))];
    let quotes = [
        ("minimal", lang.t("choice-minimal")),
        ("all", lang.t("choice-all")),
        ("non-null", lang.t("choice-non-null")),
        ("non-numeric", lang.t("choice-non-numeric")),
        ("sqlite", plain("sqlite3 -csv")),
    ];
    let mut of_header = vec![("", lang.t("choice-same"))];
    of_header.extend(quotes.iter().cloned());
    let nothing = [("bare", lang.t("choice-nothing")), ("quoted", plain("\"\""))];
    let nulls = [
        ("empty", lang.t("choice-nothing")),
        ("quoted-empty", plain("\"\"")),
        ("text", lang.t("choice-word")),
    ];
    let times: Vec<(String, String)> = TimestampText::ALL
        .into_iter()
        .filter_map(|timestamps| {
            let key = serde_json::to_value(timestamps).ok()?.as_str()?.to_owned();
            let mut text = Vec::new();
            TimestampWriter::new(&Dialect { timestamps, ..Dialect::default() })
                .write(EXAMPLE, &mut text);
            Some((key, String::from_utf8_lossy(&text).into_owned()))
        })
        .collect();
    let times: Vec<(&str, String)> = times.iter().map(|(k, t)| (k.as_str(), t.clone())).collect();
    let encodings = ["utf-8", "utf-16le", "shift_jis", "windows-1252"];
    all.extend([
        select(
            "delimiter",
            "setting-delimiter",
            &[
                (",", plain(",")),
                (";", plain(";")),
                ("tab", lang.t("choice-tab")),
                ("|", plain("|")),
            ],
        ),
        select("quote", "setting-quote", &quotes),
        select("eol", "setting-eol", &[("crlf", plain("CRLF")), ("lf", plain("LF"))]),
        select("encoding", "setting-encoding", &encodings.map(|e| (e, e.to_uppercase()))),
        select("bom", "setting-bom", &yes_no),
        select("header", "setting-header", &yes_no),
        select("header_quote", "setting-header-quote", &of_header),
        select("timestamps", "setting-timestamps", &times),
        write("zone", "setting-zone", false),
        select("null", "setting-null", &nulls),
    ]);
    if chosen("null") == "text" {
        all.push(write("null_text", "setting-null-text", false));
    }
    all.extend([
        select("empty", "setting-empty", &nothing),
        select("lone_blank", "setting-lone-blank", &nothing),
        select("final_newline", "setting-final-newline", &yes_no),
        write("footer", "setting-footer", true),
    ]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use warifu_domain::dialect::{Delimiter, EmptyText, Encoding, Eol, NullText, Quote, Zone};

    #[test]
    fn a_form_says_whatever_a_dialect_can() {
        let own = Dialect::default();
        let far = Dialect {
            delimiter: Delimiter::Tab,
            quote: Quote::NonNumeric,
            eol: Eol::Lf,
            bom: true,
            encoding: Encoding::Utf16Le,
            header: false,
            header_quote: Some(Quote::All),
            null: NullText::Text("\\N".into()),
            empty: EmptyText::Bare,
            lone_blank: EmptyText::Bare,
            timestamps: TimestampText::UsMinutes,
            zone: Zone::parse("Asia/Tokyo").unwrap(),
            final_newline: false,
            footer: vec!["Confidential".into(), "以上".into()],
        };
        for one in [own, far] {
            assert_eq!(dialect(&of(&one).unwrap()).unwrap(), one);
        }
        for timestamps in TimestampText::ALL {
            let one = Dialect { timestamps, ..Dialect::default() };
            assert_eq!(dialect(&of(&one).unwrap()).unwrap(), one);
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let with = |name: &str, value: &str| {
            let mut settings = of(&Dialect::default()).unwrap();
            settings.insert(name.into(), value.into());
            dialect(&settings)
        };
        let (field, what) = with("zone", "Mars/Olympus").unwrap_err();
        assert!(field == "zone" && what.contains("Asia/Tokyo"), "{what}");
        assert_eq!(with("quote", "sometimes").unwrap_err().0, "quote");
        assert_eq!(dialect(&BTreeMap::new()).unwrap(), Dialect::default());
    }
}
