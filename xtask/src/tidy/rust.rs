//! What Rust code of the product does not do, except where this file says so and why.
//!
//! Tests, benchmarks and examples are free to do most of it.

use super::source::Source;
use super::{File, Finding};

/// Names in code, and why they do not stand there.
struct Ban {
    names: &'static [&'static str],
    reason: &'static str,
    /// Files or folders (path prefixes) that may.
    allowed: &'static [&'static str],
}

const BANS: &[Ban] = &[
    Ban {
        names: &["SystemTime::now", "Timestamp::now", "Zoned::now", "Utc::now", "Local::now"],
        reason: "time is a parameter: take a Clock, so that a run can be replayed",
        allowed: &["crates/warifu-domain/src/time.rs"],
    },
    Ban {
        names: &["Instant::now"],
        reason: "measure in the binary, or take the elapsed time as a parameter",
        // A subcommand, a match and a replay say how long they took; what was read a moment ago goes by how
        // long ago that was.
        allowed: &[
            "crates/warifu/src/",
            "crates/warifu-app/src/reports/replays.rs",
            "crates/warifu-har/src/cli.rs",
            "crates/warifu-match/src/search.rs",
            "crates/warifu-storage/src/moment.rs",
        ],
    },
    Ban {
        names: &[
            "rand::rng",
            "rand::random",
            "thread_rng",
            "OsRng",
            "SysRng",
            "getrandom::",
            "Uuid::new_v4",
            "Uuid::now_v7",
        ],
        reason: "randomness is a parameter, so that a test can seed it",
        allowed: &[
            // Where the product's one source of it is made.
            "crates/warifu/src/",
            "crates/warifu-app/src/state.rs",
            // Each file gets a key of its own, unless the caller gives one.
            "crates/warifu-har/src/lib.rs",
            "crates/warifu-har/src/stream.rs",
        ],
    },
    Ban {
        names: &["reqwest::", "ureq::", "hyper::client", "client::legacy", "TcpStream::connect"],
        reason: "outbound connections are a parameter, so that one place can refuse them",
        allowed: &["crates/warifu/src/"],
    },
    Ban {
        names: &["sqlx::", "rusqlite::"],
        reason: "SQL belongs to warifu-storage",
        allowed: &["crates/warifu-storage/"],
    },
    Ban { names: &["todo!", "unimplemented!"], reason: "finish it", allowed: &[] },
    Ban {
        names: &["mod utils", "mod util", "mod common", "mod misc", "mod helpers", "mod helper"],
        reason: "this name says nothing: name the module after what it does",
        allowed: &[],
    },
];

/// How a statement begins, and a word that it has further on.
const SQL: &[(&str, &str)] = &[
    ("SELECT ", " FROM "),
    ("INSERT INTO ", ""),
    ("UPDATE ", " SET "),
    ("DELETE FROM ", ""),
    ("CREATE TABLE ", ""),
    ("CREATE INDEX ", ""),
    ("DROP TABLE ", ""),
    ("PRAGMA ", ""),
];

pub fn check(files: &[File], findings: &mut Vec<Finding>) {
    for file in files.iter().filter(|f| f.extension() == "rs") {
        let source = Source::shipped(&file.text);
        // The compiler refuses it as well (workspace lints), unless a crate forgets `[lints]`.
        for (line, _) in find(&source.code, "unsafe") {
            findings.push(Finding::error(&file.path, line, "unsafe: this product has none"));
        }
        if is_free(&file.path) {
            continue;
        }
        for ban in BANS {
            if ban.allowed.iter().any(|prefix| file.path.starts_with(prefix)) {
                continue;
            }
            for name in ban.names {
                for (line, _) in find(&source.code, name) {
                    let message = format!("{name}: {}", ban.reason);
                    findings.push(Finding::error(&file.path, line, message));
                }
            }
        }
        if !file.path.starts_with("crates/warifu-storage/") {
            check_sql(file, &source.strings, findings);
        }
    }
}

fn is_free(path: &str) -> bool {
    let folder = |name: &str| path.starts_with(&name[1..]) || path.contains(name);
    folder("/tests/")
        || folder("/benches/")
        || folder("/examples/")
        || path.starts_with("bench/")
        || path.starts_with("fuzz/")
        || path.starts_with("xtask/")
        || path.ends_with("/tests.rs")
}

/// Lines (1-based) and positions where `name` stands as a word of its own.
fn find<'a>(code: &'a str, name: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).filter_map(move |(at, _)| {
        let before = code[..at].chars().next_back().is_some_and(word);
        let after = code[at + name.len()..].chars().next().is_some_and(word);
        let open_end = name.ends_with([':', '!']);
        let alone = !before && (open_end || !after);
        alone.then(|| (code[..at].matches('\n').count() + 1, at))
    })
}

fn check_sql(file: &File, strings: &str, findings: &mut Vec<Finding>) {
    for (number, line) in strings.lines().enumerate() {
        let text = line.trim_start();
        let statement = SQL.iter().any(|(start, further)| {
            text.starts_with(start) && (further.is_empty() || text.contains(further))
        });
        if statement {
            let message = "SQL text: queries belong to warifu-storage";
            findings.push(Finding::error(&file.path, number + 1, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::findings_in;

    fn web(text: &str) -> Vec<String> {
        findings_in("crates/warifu-web/src/cases/reply.rs", text)
    }

    #[test]
    fn banned_names_are_found_in_code_only() {
        let found = web("fn a() {\n    let t = std::time::SystemTime::now();\n}\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("2: SystemTime::now: time is a parameter"), "{found:?}");
        assert_eq!(web("let r = rand::rng();").len(), 1);
        assert_eq!(web("fn a() { todo!() }").len(), 1);
        assert_eq!(web("unsafe { x() }").len(), 1);
        assert!(
            web("// rand::rng() is not used\nlet a = \"Instant::now\"; rand::rngs();").is_empty()
        );
    }

    #[test]
    fn tests_and_the_listed_files_may() {
        assert!(web("#[cfg(test)]\nmod tests { fn a() { Instant::now(); } }").is_empty());
        let clock = "crates/warifu-domain/src/time.rs";
        assert!(findings_in(clock, "let t = jiff::Timestamp::now();").is_empty());
        assert!(findings_in("crates/warifu/tests/it/a.rs", "Instant::now()").is_empty());
        assert_eq!(findings_in("crates/warifu/tests/it/a.rs", "unsafe {}").len(), 1);
    }

    #[test]
    fn sql_outside_the_storage_is_found() {
        let found = web("let q = \"SELECT id FROM people\";\nlet w = \"SELECT your plan\";");
        assert_eq!(found, ["1: SQL text: queries belong to warifu-storage"]);
        assert_eq!(web("let q = r#\"\n    DELETE FROM people\"#;").len(), 1);
        assert_eq!(web("use sqlx::query;").len(), 1);
        let storage = "crates/warifu-storage/src/people.rs";
        assert!(findings_in(storage, "let q = \"DELETE FROM people\";").is_empty());
    }
}
