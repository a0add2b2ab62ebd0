//! Small pieces of markup that many templates share.

use std::fmt;

use askama::filters::{HtmlSafe, Safe};

use crate::assets;
use crate::i18n::{When, escape};

/// Renders as `<time datetime="…">…</time>`.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<time datetime=\"{}\">{}</time>", escape(&self.iso), escape(&self.text))
    }
}
impl HtmlSafe for When {}

/// An icon of the sprite by its name without `i-`. Icons are never the only carrier of a
/// meaning, so they are hidden from assistive technology.
pub fn icon(name: &str) -> Safe<String> {
    Safe(format!(
        "<svg class=\"i\" aria-hidden=\"true\"><use href=\"{}#i-{}\"/></svg>",
        assets::url("icons.svg"),
        escape(name)
    ))
}

/// The mark of the product: the two halves of a tally.
pub fn mark() -> Safe<&'static str> {
    Safe(concat!(
        "<svg class=\"mark\" viewBox=\"0 0 24 24\" fill=\"currentColor\" aria-hidden=\"true\">",
        "<path d=\"M6.25 2H13v6.4L9.4 14v8H6.25A1.25 1.25 0 0 1 5 20.75V3.25C5 2.56 5.56 2 6.25 2Z\"/>",
        "<path class=\"b\" d=\"M14.75 2h3c.69 0 1.25.56 1.25 1.25v17.5c0 .69-.56 1.25-1.25 1.25h-6.6v-7.5l3.6-5.6Z\"/>",
        "</svg>"
    ))
}

/// The cut between the halves of a large tally.
pub fn cut() -> Safe<&'static str> {
    Safe(concat!(
        "<span class=\"cut\" aria-hidden=\"true\">",
        "<svg class=\"l\" viewBox=\"0 0 24 100\" preserveAspectRatio=\"none\">",
        "<path d=\"M0 0H19V34L5 66V100H0Z\"/><path class=\"rim\" d=\"M0 0H19M0 100H5\"/>",
        "<path class=\"seam\" d=\"M19 0V34L5 66V100\"/></svg>",
        "<svg class=\"r\" viewBox=\"0 0 24 100\" preserveAspectRatio=\"none\">",
        "<path d=\"M24 0H19V34L5 66V100H24Z\"/><path class=\"rim\" d=\"M24 0H19M24 100H5\"/>",
        "<path class=\"seam\" d=\"M19 0V34L5 66V100\"/></svg></span>"
    ))
}

/// The face of a person: a square with initials for staff, a circle for customers (`cust`).
/// `class` adds a size (`sm`, `lg`). The name always stands beside it.
pub fn face(initials: &str, class: &str) -> Safe<String> {
    Safe(format!(
        "<span class=\"face {}\" aria-hidden=\"true\">{}</span>",
        escape(class),
        escape(initials)
    ))
}

/// Initials for a face: of the first and last word in Latin script, else the first character.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let Some(first) = words.next().and_then(|word| word.chars().next()) else {
        return "?".to_owned();
    };
    if !first.is_alphabetic() || !first.is_lowercase() && !first.is_uppercase() {
        return first.to_string();
    }
    let last = words.next_back().and_then(|word| word.chars().next());
    first.to_uppercase().chain(last.into_iter().flat_map(char::to_uppercase)).collect()
}

/// One state that is said with a colour, a word and (in the template) a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing special
    #[default]
    Plain,
    /// Chosen, matching
    Ai,
    /// Holds
    Ok,
    /// Asks for care
    Warn,
    /// Has failed
    Bad,
    /// Needs a decision of the person who looks
    Seal,
}

impl Tone {
    /// Value for `data-tone`.
    pub fn name(&self) -> &'static str {
        match self {
            Tone::Plain => "",
            Tone::Ai => "ai",
            Tone::Ok => "ok",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
            Tone::Seal => "seal",
        }
    }

    /// Icon that goes with it.
    pub fn icon(&self) -> &'static str {
        match self {
            Tone::Plain | Tone::Ai => "info",
            Tone::Ok => "check",
            Tone::Warn | Tone::Bad => "warn",
            Tone::Seal => "pin",
        }
    }
}

/// The state of a tally: three, always drawn the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tally {
    /// Both halves are there and fit.
    Match,
    /// One half is missing.
    #[default]
    Open,
    /// The halves do not fit.
    No,
}

impl Tally {
    /// Value for `data-match` of a large tally.
    pub fn name(&self) -> &'static str {
        match self {
            Tally::Match => "yes",
            Tally::Open => "open",
            Tally::No => "no",
        }
    }

    /// Icon of the tally in a line.
    pub fn icon(&self) -> &'static str {
        match self {
            Tally::Match => "tally",
            Tally::Open => "tally-open",
            Tally::No => "tally-no",
        }
    }

    /// Class of the tally in a line.
    pub fn class(&self) -> &'static str {
        match self {
            Tally::Match => "",
            Tally::Open => "wait",
            Tally::No => "no",
        }
    }
}

/// An entry of a drop-down list or a group of radio buttons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// What is sent
    pub value: String,
    /// What people read, in their language
    pub label: String,
    /// Whether it is chosen now
    pub chosen: bool,
}

impl Choice {
    /// A choice.
    pub fn new(value: impl Into<String>, label: impl Into<String>, chosen: bool) -> Choice {
        Choice { value: value.into(), label: label.into(), chosen }
    }
}

/// Text with the parts that matched a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Highlighted(pub Vec<(String, bool)>);

impl Highlighted {
    /// Text of which nothing is marked.
    pub fn plain(text: impl Into<String>) -> Highlighted {
        Highlighted(vec![(text.into(), false)])
    }
}

impl fmt::Display for Highlighted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (text, marked) in &self.0 {
            if *marked {
                write!(f, "<mark>{}</mark>", escape(text))?;
            } else {
                f.write_str(&escape(text))?;
            }
        }
        Ok(())
    }
}
impl HtmlSafe for Highlighted {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_follow_the_script() {
        assert_eq!(initials("Aiko Mori"), "AM");
        assert_eq!(initials("森 愛子"), "森");
        assert_eq!(initials("support-ops-2"), "S");
        assert_eq!(initials("  "), "?");
    }

    #[test]
    fn marked_text_is_escaped() {
        let text = Highlighted(vec![("<b>".into(), false), ("&x".into(), true)]);
        assert_eq!(text.to_string(), "&lt;b&gt;<mark>&amp;x</mark>");
    }
}
