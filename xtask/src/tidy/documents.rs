//! Decision records: each has a number of its own and stands in the index.

use super::{File, Finding};

const FOLDER: &str = "docs/decisions/";

pub fn check(files: &[File], findings: &mut Vec<Finding>) {
    let index = files.iter().find(|f| f.path == "docs/decisions/README.md");
    let index = index.map_or("", |f| f.text.as_str());
    let mut last_number = None;
    for file in files.iter().filter(|f| f.path.starts_with(FOLDER) && f.path.ends_with(".md")) {
        let name = &file.path[FOLDER.len()..];
        if name == "README.md" {
            continue;
        }
        let number = name.get(..4).filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
        if number.is_none() || name.as_bytes().get(4) != Some(&b'-') {
            let message = "a decision record is called NNNN-words.md";
            findings.push(Finding::error(&file.path, 0, message));
        }
        if number.is_some() && number == last_number {
            findings.push(Finding::error(&file.path, 0, "this number is taken"));
        }
        last_number = number;
        if !index.contains(&format!("({name})")) {
            let message = format!("not linked from {FOLDER}README.md");
            findings.push(Finding::error(&file.path, 0, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tidy::{File, check};

    fn records(all: &[(&str, &str)]) -> Vec<String> {
        let file = |(name, text): &(&str, &str)| File {
            path: format!("docs/decisions/{name}"),
            text: (*text).to_owned(),
        };
        let files: Vec<_> = all.iter().map(file).collect();
        check(&files).into_iter().map(|f| format!("{}: {}", f.path, f.message)).collect()
    }

    #[test]
    fn a_record_that_nobody_finds_is_found() {
        let index = ("README.md", "- [one](0001-one.md)");
        assert!(records(&[("0001-one.md", ""), index]).is_empty());
        assert_eq!(records(&[("0001-one.md", ""), ("0002-two.md", ""), index]).len(), 1);
        let twice = ("README.md", "(0001-one.md) (0001-two.md)");
        assert_eq!(records(&[("0001-one.md", ""), ("0001-two.md", ""), twice]).len(), 1);
        assert_eq!(records(&[("one.md", ""), ("README.md", "(one.md)")]).len(), 1);
    }
}
