//! How long files are, what they are called, and marks of unfinished work in any of them.

use super::{File, Finding};

/// Files that one can read in a sitting; beyond the second figure they have to be split.
const RUST_LINES: (usize, usize) = (400, 800);
/// A browser module is small enough to be read before it is trusted.
const SCRIPT_LINES: usize = 200;
/// Names that say nothing about what is inside, so that everything ends up there.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "misc", "helper", "helpers"];
/// Assembled, so that this file does not find itself.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];

pub fn check(files: &[File], findings: &mut Vec<Finding>) {
    for file in files {
        let count = file.text.lines().count();
        match file.extension() {
            "rs" | "html" | "sql" if count > RUST_LINES.1 => {
                let message = format!("{count} lines: split it (at most {})", RUST_LINES.1);
                findings.push(Finding::error(&file.path, 0, message));
            }
            "rs" if count > RUST_LINES.0 => {
                let message = format!("{count} lines: consider splitting it at {}", RUST_LINES.0);
                findings.push(Finding::warning(&file.path, 0, message));
            }
            "js" if count >= SCRIPT_LINES => {
                let message = format!("{count} lines: a browser module stays under {SCRIPT_LINES}");
                findings.push(Finding::error(&file.path, 0, message));
            }
            _ => {}
        }
        check_name(file, findings);
        if !matches!(file.extension(), "md" | "txt") {
            check_unfinished(file, findings);
        }
    }
}

fn check_name(file: &File, findings: &mut Vec<Finding>) {
    if !matches!(file.extension(), "rs" | "js") {
        return;
    }
    let stem = file.path.trim_end_matches(".rs").trim_end_matches(".js");
    if let Some(part) = stem.split('/').find(|part| EMPTY_NAMES.contains(part)) {
        let message = format!("'{part}' says nothing: name the module after what it does");
        findings.push(Finding::error(&file.path, 0, message));
    }
}

fn check_unfinished(file: &File, findings: &mut Vec<Finding>) {
    for (number, line) in file.text.lines().enumerate() {
        for mark in UNFINISHED {
            let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let found = line.match_indices(mark).any(|(at, _)| {
                let after = line[at + mark.len()..].chars().next();
                !word(line[..at].chars().next_back()) && (mark.ends_with(':') || !word(after))
            });
            if found {
                let message = format!("{mark}: finish it, or open an issue");
                findings.push(Finding::error(&file.path, number + 1, message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::findings_in;

    #[test]
    fn long_files_are_found() {
        assert!(findings_in("a.rs", &"//\n".repeat(400)).is_empty());
        assert_eq!(findings_in("a.rs", &"//\n".repeat(401)).len(), 1);
        assert!(findings_in("a.rs", &"//\n".repeat(801))[0].contains("split it (at most 800)"));
        assert!(findings_in("assets/a.js", &"//\n".repeat(199)).is_empty());
        assert_eq!(findings_in("assets/a.js", &"//\n".repeat(200)).len(), 1);
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        assert_eq!(findings_in("crates/x/src/utils.rs", "").len(), 1);
        assert_eq!(findings_in("crates/x/src/common/time.rs", "").len(), 1);
        assert!(findings_in("crates/x/src/uncommon.rs", "").is_empty());
    }

    #[test]
    fn marks_of_unfinished_work_are_found() {
        let mark = super::UNFINISHED[0];
        assert_eq!(findings_in("a.sql", &format!("\n-- {mark} later")).len(), 1);
        assert!(findings_in("a.sql", &format!("-- {mark}S and ma{mark}")).is_empty());
    }
}
