//! All differences between the two engines' SQL.

use crate::Engine;
use std::collections::HashMap;
use warifu_domain::search::Term;

/// Puts a migration's neutral words into the engine's.
pub fn ddl(engine: Engine, text: &str) -> String {
    match engine {
        Engine::Sqlite => {
            text.replace(" BYTES", " BLOB").replace(") CLUSTERED;", ") WITHOUT ROWID;")
        }
        Engine::Postgres => text.replace(" BYTES", " BYTEA").replace(") CLUSTERED;", ");"),
    }
}

/// The tokens of a text as the engine's index takes them.
pub fn index_text(engine: Engine, tokens: &[String]) -> String {
    match engine {
        Engine::Sqlite => tokens.join(" "),
        // A tsvector literal with positions of our own. Tokens are letters and digits, so nothing
        // needs escaping but is quoted all the same; 16383 is the last position that exists.
        Engine::Postgres => {
            let mut out = String::with_capacity(tokens.len() * 12);
            for (i, token) in tokens.iter().enumerate().take(16_000) {
                out.push('\'');
                out.push_str(&token.replace('\'', "''").replace('\\', "\\\\"));
                out.push_str("':");
                out.push_str(&(i + 1).to_string());
                out.push(' ');
            }
            out
        }
    }
}

/// A query as the engine's index takes it: a bound parameter, never part of the SQL. `begun`: the
/// words that the beginning of a word stands for, where they have been looked up.
pub fn match_text(engine: Engine, terms: &[Term], begun: &HashMap<&str, Vec<String>>) -> String {
    let quote = |t: &str| match engine {
        Engine::Sqlite => format!("\"{}\"", t.replace('"', "\"\"")),
        Engine::Postgres => format!("'{}'", t.replace('\'', "''").replace('\\', "\\\\")),
    };
    let any = |words: &[String]| words.iter().map(|w| quote(w)).collect::<Vec<_>>().join(" OR ");
    let term = |t: &Term| match (engine, t) {
        (_, Term::Word(w)) => quote(w),
        (Engine::Sqlite, Term::Prefix(w)) => match begun.get(w.as_str()) {
            Some(words) if !words.is_empty() => format!("({})", any(words)),
            // Nothing begins so: the word itself finds nothing either.
            Some(_) => quote(w),
            None => format!("{}*", quote(w)),
        },
        (Engine::Postgres, Term::Prefix(w)) => format!("{}:*", quote(w)),
        (Engine::Sqlite, Term::Phrase(p)) => quote(&p.join(" ")),
        (Engine::Postgres, Term::Phrase(p)) => {
            format!("({})", p.iter().map(|t| quote(t)).collect::<Vec<_>>().join(" <-> "))
        }
    };
    all_of(engine, &terms.iter().map(term).collect::<Vec<_>>())
}

/// The query that asks for all of some.
pub fn all_of(engine: Engine, queries: &[String]) -> String {
    queries.join(if engine == Engine::Sqlite { " AND " } else { " & " })
}

/// Byte order for texts, so that both engines sort alike.
pub fn text_order(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "",
        Engine::Postgres => " COLLATE \"C\"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warifu_domain::search::{query, tokens};

    #[test]
    fn hostile_queries_stay_parameters() {
        let terms = query("a\" OR 1=1 -- ' ); drop 証明書");
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let text = match_text(engine, &terms, &HashMap::new());
            assert!(!text.contains(';') && !text.contains("--"), "{text}");
        }
        assert_eq!(index_text(Engine::Postgres, &tokens("a b")), "'a':1 'b':2 ");
    }
}
