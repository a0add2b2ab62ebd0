//! How text becomes search tokens, for both databases alike.
//!
//! Latin words are folded and kept whole; runs of Japanese (or any script written without blanks)
//! become overlapping pairs of characters. A word of two characters, the commonest Japanese query,
//! is then one token, which a trigram index could not answer.

/// Longest token in characters; longer words are cut, on both sides alike.
const MAX_TOKEN: usize = 40;

/// Folds width (full-width Latin, half-width katakana are left), case and accents that matter for
/// search: ASCII and full-width forms become lower-case ASCII.
fn fold(c: char) -> char {
    let c = match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    };
    c.to_lowercase().next().unwrap_or(c)
}

/// Whether the character belongs to a script that writes words without blanks between them.
fn unspaced(c: char) -> bool {
    matches!(c,
        '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30FF}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FF66}'..='\u{FF9F}'
        | '\u{0E00}'..='\u{0E7F}'
        | '\u{20000}'..='\u{2FFFF}')
}

/// One run of text between separators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// A word, folded.
    Word(String),
    /// Overlapping pairs of an unspaced run, or its single character.
    Pairs(Vec<String>),
}

/// Splits text into runs, in order.
pub fn runs(text: &str) -> Vec<Run> {
    let mut out = Vec::new();
    let mut word = String::new();
    let mut chars: Vec<char> = Vec::new();
    let flush_pairs = |chars: &mut Vec<char>, out: &mut Vec<Run>| {
        let pairs = match chars.len() {
            0 => return,
            1 => vec![chars[0].to_string()],
            _ => chars.windows(2).map(|w| w.iter().collect()).collect(),
        };
        out.push(Run::Pairs(pairs));
        chars.clear();
    };
    for c in text.chars().map(fold) {
        if unspaced(c) {
            if !word.is_empty() {
                out.push(Run::Word(std::mem::take(&mut word)));
            }
            chars.push(c);
        } else if c.is_alphanumeric() {
            flush_pairs(&mut chars, &mut out);
            if word.chars().count() < MAX_TOKEN {
                word.push(c);
            }
        } else {
            flush_pairs(&mut chars, &mut out);
            if !word.is_empty() {
                out.push(Run::Word(std::mem::take(&mut word)));
            }
        }
    }
    flush_pairs(&mut chars, &mut out);
    if !word.is_empty() {
        out.push(Run::Word(word));
    }
    out
}

/// The tokens of a text to be indexed, in order.
pub fn tokens(text: &str) -> Vec<String> {
    runs(text)
        .into_iter()
        .flat_map(|r| match r {
            Run::Word(w) => vec![w],
            Run::Pairs(p) => p,
        })
        .collect()
}

/// What is looked for: every term must occur. The last word is a prefix, because people look while
/// they type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    Word(String),
    Prefix(String),
    /// Tokens in sequence.
    Phrase(Vec<String>),
}

/// Most terms of one query; further ones are ignored.
pub const MAX_TERMS: usize = 12;

/// Reads what somebody typed. An empty list finds nothing.
pub fn query(text: &str) -> Vec<Term> {
    let runs: Vec<Run> = runs(text).into_iter().take(MAX_TERMS).collect();
    let typing = matches!(runs.last(), Some(Run::Word(_))) && !text.ends_with(char::is_whitespace);
    let mut terms: Vec<Term> = runs
        .into_iter()
        .map(|r| match r {
            Run::Word(w) => Term::Word(w),
            Run::Pairs(p) if p.len() == 1 && p[0].chars().count() == 1 => {
                Term::Prefix(p[0].clone())
            }
            Run::Pairs(mut p) => {
                if p.len() == 1 {
                    Term::Word(p.swap_remove(0))
                } else {
                    Term::Phrase(p)
                }
            }
        })
        .collect();
    // A pair of characters is a whole token already: nothing goes on after it.
    if typing
        && let Some(last) = terms.last_mut()
        && let Term::Word(w) = last
    {
        *last = Term::Prefix(std::mem::take(w));
    }
    terms
}

/// The folded form used for exact look-ups (names, e-mail addresses).
pub fn folded(text: &str) -> String {
    text.trim().chars().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn japanese_becomes_pairs_and_latin_stays_whole() {
        assert_eq!(
            tokens("SAML証明書の更新 2023"),
            ["saml", "証明", "明書", "書の", "の更", "更新", "2023"]
        );
        assert_eq!(tokens("ＳＡＭＬ"), ["saml"]);
        assert_eq!(tokens("駅"), ["駅"]);
        assert_eq!(tokens("a@b.example"), ["a", "b", "example"]);
    }

    #[test]
    fn a_query_reads_as_people_type() {
        assert_eq!(query("認証"), [Term::Word("認証".into())]);
        assert_eq!(query("証明書"), [Term::Phrase(vec!["証明".into(), "明書".into()])]);
        assert_eq!(query("sign loop"), [Term::Word("sign".into()), Term::Prefix("loop".into())]);
        assert_eq!(query("sign "), [Term::Word("sign".into())]);
        assert_eq!(query("  \"' "), []);
        assert_eq!(query("証"), [Term::Prefix("証".into())]);
    }
}
