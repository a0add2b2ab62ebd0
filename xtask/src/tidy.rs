//! The house rules as a test. What a rule is for stands beside it in the file that checks it.

mod arrows;
mod documents;
mod lines;
mod rust;
mod source;
mod templates;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Something that a rule found. `fatal` findings fail the build, others are only shown.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    /// 1-based; 0 where the finding is about the whole file.
    pub line: usize,
    pub message: String,
    pub fatal: bool,
}

impl Finding {
    fn error(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into(), fatal: true }
    }

    fn warning(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { fatal: false, ..Self::error(path, line, message) }
    }
}

/// A file of the repository: its path with forward slashes, relative to the root, and its text.
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    fn extension(&self) -> &str {
        Path::new(&self.path).extension().and_then(|e| e.to_str()).unwrap_or("")
    }
}

/// Prints what is wrong; the exit code says whether anything fatal was found.
pub fn report(root: &Path) -> ExitCode {
    let files = match read_tree(root) {
        Ok(files) => files,
        Err((path, error)) => {
            eprintln!("tidy: cannot read {}: {error}", path.display());
            return ExitCode::from(2);
        }
    };
    let findings = check(&files);
    for finding in &findings {
        let kind = if finding.fatal { "error" } else { "warning" };
        eprintln!("{kind}: {}:{}: {}", finding.path, finding.line, finding.message);
    }
    let fatal = findings.iter().filter(|f| f.fatal).count();
    println!("tidy: {} files, {fatal} errors, {} warnings", files.len(), findings.len() - fatal);
    if fatal == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every rule over every file, in the order of path and line.
pub fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    arrows::check(files, &mut findings);
    lines::check(files, &mut findings);
    rust::check(files, &mut findings);
    templates::check(files, &mut findings);
    documents::check(files, &mut findings);
    findings.sort();
    findings
}

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] = &[".git", "target", "node_modules", "ci-artifacts", "warifu-demo"];
const READ: &[&str] = &["rs", "toml", "html", "js", "css", "sql", "md", "ftl", "sh", "txt", "xml"];

fn read_tree(root: &Path) -> Result<Vec<File>, (PathBuf, std::io::Error)> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|e| (folder.clone(), e))?;
        for entry in entries {
            let entry = entry.map_err(|e| (folder.clone(), e))?;
            let (path, name) = (entry.path(), entry.file_name());
            let kind = entry.file_type().map_err(|e| (path.clone(), e))?;
            if kind.is_dir() {
                if !SKIPPED.iter().any(|s| name == *s) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|e| READ.iter().any(|r| e == *r)) {
                // Fixtures may be broken on purpose, also in their encoding.
                let bytes = std::fs::read(&path).map_err(|e| (path.clone(), e))?;
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let path = path.strip_prefix(root).unwrap_or(&path);
                files.push(File { path: path.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_keeps_its_own_rules() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let files = read_tree(root).unwrap();
        assert!(files.iter().any(|f| f.path == "xtask/src/tidy.rs"), "the tree was not read");
        let fatal: Vec<_> = check(&files).into_iter().filter(|f| f.fatal).collect();
        assert!(fatal.is_empty(), "{fatal:#?}");
    }

    /// What one rule says about one file, as `line: message`.
    pub fn findings_in(path: &str, text: &str) -> Vec<String> {
        let files = [File { path: path.to_owned(), text: text.to_owned() }];
        check(&files).into_iter().map(|f| format!("{}: {}", f.line, f.message)).collect()
    }
}
