//! Which crate may know which: `warifu → web → app → {storage, auth, ledger, match, har} → domain`.
//!
//! Development dependencies are free: a test may look from anywhere.

use super::{File, Finding};

/// Crate, the crates of ours that it may name, and the foreign ones that would break its promise
/// (no I/O, no async, no SQL, no HTTP).
type Rule = (&'static str, &'static [&'static str], &'static [&'static str]);

const IO: &[&str] =
    &["tokio", "sqlx", "rusqlite", "axum", "hyper", "reqwest", "ureq", "object_store", "async-std"];
const SQL: &[&str] = &["sqlx", "rusqlite", "libsqlite3-sys"];
const SQL_HTTP: &[&str] = &["sqlx", "rusqlite", "axum", "hyper", "tower-http", "reqwest", "ureq"];
const HTTP: &[&str] = &["axum", "hyper", "tower-http", "askama"];

const RULES: &[Rule] = &[
    ("warifu-domain", &[], IO),
    ("warifu-ledger", &["warifu-domain"], IO),
    ("warifu-match", &["warifu-domain"], IO),
    ("warifu-har", &["warifu-domain"], IO),
    ("warifu-auth", &["warifu-domain"], SQL_HTTP),
    ("warifu-storage", &["warifu-domain"], HTTP),
    (
        "warifu-app",
        &[
            "warifu-domain",
            "warifu-storage",
            "warifu-auth",
            "warifu-ledger",
            "warifu-match",
            "warifu-har",
        ],
        &["sqlx", "rusqlite", "axum", "hyper", "askama"],
    ),
    ("warifu-web", &["warifu-app", "warifu-auth", "warifu-domain"], SQL),
    (
        "warifu",
        &[
            "warifu-web",
            "warifu-app",
            "warifu-domain",
            "warifu-storage",
            "warifu-auth",
            "warifu-ledger",
            "warifu-match",
            "warifu-har",
        ],
        SQL,
    ),
    ("warifu-fuzz", &[], IO),
    ("xtask", &[], &[]),
];

pub fn check(files: &[File], findings: &mut Vec<Finding>) {
    for file in files.iter().filter(|f| f.path.ends_with("/Cargo.toml")) {
        // Benchmarks stand outside: they measure every layer.
        if !file.path.starts_with("bench/") {
            check_manifest(file, findings);
        }
    }
}

fn check_manifest(file: &File, findings: &mut Vec<Finding>) {
    let manifest: toml::Table = match file.text.parse() {
        Ok(manifest) => manifest,
        Err(error) => {
            findings.push(Finding::error(&file.path, 0, format!("not TOML: {error}")));
            return;
        }
    };
    let name = manifest.get("package").and_then(|p| p.get("name")).and_then(|n| n.as_str());
    let Some(name) = name else { return };
    let Some((_, ours, barred)) = RULES.iter().find(|(rule, ..)| *rule == name) else {
        let message = format!("crate {name} has no place in ARCHITECTURE.md: add its arrows here");
        findings.push(Finding::error(&file.path, 0, message));
        return;
    };
    for dependency in dependencies(&manifest) {
        let own = dependency == "warifu" || dependency.starts_with("warifu-");
        let message = if own && !ours.contains(&dependency.as_str()) {
            format!("{name} must not know {dependency} (ARCHITECTURE.md, arrows)")
        } else if barred.contains(&dependency.as_str()) {
            format!("{name} promises to do without {dependency}")
        } else {
            continue;
        };
        let line = file.text.lines().position(|l| l.trim_start().starts_with(&dependency));
        findings.push(Finding::error(&file.path, line.map_or(0, |l| l + 1), message));
    }
}

/// Names of the crates behind `dependencies` and `build-dependencies`, also those of one platform.
fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let platforms = manifest.get("target").and_then(|t| t.as_table()).into_iter().flatten();
    let tables = platforms.filter_map(|(_, t)| t.as_table()).chain([manifest]);
    tables
        .flat_map(|t| [t.get("dependencies"), t.get("build-dependencies")])
        .flatten()
        .filter_map(|d| d.as_table())
        .flatten()
        .map(|(key, value)| {
            // `alias = { package = "real-name" }`
            let real = value.get("package").and_then(|p| p.as_str());
            real.unwrap_or(key).to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::findings_in;

    fn manifest(name: &str, rest: &str) -> Vec<String> {
        findings_in(
            &format!("crates/{name}/Cargo.toml"),
            &format!("package.name = '{name}'\n{rest}"),
        )
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let found =
            manifest("warifu-domain", "[dependencies]\nwarifu-web = { workspace = true }\n");
        assert_eq!(found, ["3: warifu-domain must not know warifu-web (ARCHITECTURE.md, arrows)"]);
        let found =
            manifest("warifu-web", "[target.'cfg(unix)'.build-dependencies]\nwarifu-storage = '1'");
        assert_eq!(found.len(), 1, "{found:?}");
        let found =
            manifest("warifu-har", "[dependencies]\nx = { package = 'warifu-app', version = '1' }");
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_crate_that_breaks_its_promise_is_found() {
        let found = manifest("warifu-ledger", "[dependencies]\ntokio.workspace = true\n");
        assert_eq!(found, ["3: warifu-ledger promises to do without tokio"]);
    }

    #[test]
    fn arrows_that_point_down_and_tests_are_free() {
        let found = manifest("warifu-app", "[dependencies]\nwarifu-storage.workspace = true\n");
        assert!(found.is_empty(), "{found:?}");
        let found = manifest("warifu-match", "[dev-dependencies]\ntokio.workspace = true\n");
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        assert_eq!(manifest("warifu-extra", "").len(), 1);
    }
}
