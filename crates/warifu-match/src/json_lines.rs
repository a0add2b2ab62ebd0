//! JSON Lines: one object per line, every key in every line, `null` for what is missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a JSON Lines file is written. `Default` is what Warifu's own export writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JsonLines {
    /// A space after every colon and comma, as Python's `json.dumps` writes.
    pub spaced: bool,
    /// Label of a column → its key, where the two differ.
    pub keys: BTreeMap<String, String>,
}

impl JsonLines {
    /// Name of the exporter.
    #[must_use]
    pub fn id(&self) -> &'static str {
        if self.spaced { "json-lines;spaced" } else { "warifu-jsonl/1" }
    }

    /// The key of a column.
    #[must_use]
    pub fn key<'a>(&'a self, label: &'a str) -> &'a str {
        self.keys.get(label).map_or(label, String::as_str)
    }

    /// Bytes between two cells.
    pub(crate) fn separator(&self) -> u64 {
        1 + u64::from(self.spaced)
    }

    /// Bytes that a column brings along in every line beside its value: key, colon, comma.
    pub(crate) fn per_cell(&self, label: &str) -> u64 {
        let mut key = Vec::new();
        write_text(self.key(label), &mut key);
        key.len() as u64 + 2 * self.separator()
    }

    /// Appends one line.
    pub fn row<'a>(
        &self,
        cells: impl Iterator<Item = (&'a str, Option<&'a str>)>,
        out: &mut Vec<u8>,
    ) {
        let mut between: &[u8] = b"{";
        let (comma, colon): (&[u8], &[u8]) =
            if self.spaced { (b", ", b": ") } else { (b",", b":") };
        for (label, value) in cells {
            out.extend_from_slice(between);
            between = comma;
            write_text(self.key(label), out);
            out.extend_from_slice(colon);
            match value {
                Some(text) => write_text(text, out),
                None => out.extend_from_slice(b"null"),
            }
        }
        out.extend_from_slice(b"}\n");
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing a string into memory has no way to fail.
    let _ = serde_json::to_writer(out, text);
}
