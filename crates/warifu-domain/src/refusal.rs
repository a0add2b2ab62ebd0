//! Why something is not done: a stable code, its arguments, and the words in English.
//!
//! The log, the command line and the API say the English words, which stand where the refusal is
//! made. Pages say them in the reader's language, by the code (`warifu-web/i18n/refusals/`).

use std::fmt;

/// Why something is not done. Made by [`refusal!`](crate::refusal!).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where, in front of the words; the same in every language.
    place: String,
    code: &'static str,
    english: String,
    args: Vec<(&'static str, Term)>,
}

/// An argument of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    Text(String),
    Number(i64),
}

impl Refusal {
    /// For [`refusal!`](crate::refusal!), where a test finds every code.
    pub fn new(code: &'static str, english: String) -> Refusal {
        Refusal { place: String::new(), code, english, args: Vec::new() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<Term>) -> Refusal {
        self.args.push((name, value.into()));
        self
    }

    /// Says where, such as `filter.all[1]: `.
    pub fn at(self, place: impl fmt::Display) -> Refusal {
        Refusal { place: format!("{place}{}", self.place), ..self }
    }

    /// Empty for words that programs and the command line get and pages do not.
    pub fn code(&self) -> &'static str {
        self.code
    }

    pub fn place(&self) -> &str {
        &self.place
    }

    pub fn args(&self) -> &[(&'static str, Term)] {
        &self.args
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.place, self.english)
    }
}

/// Words that only programs and the command line get: a page in another language leaves them out.
impl From<String> for Refusal {
    fn from(english: String) -> Refusal {
        Refusal::new("", english)
    }
}

impl From<&str> for Refusal {
    fn from(english: &str) -> Refusal {
        english.to_owned().into()
    }
}

impl From<&str> for Term {
    fn from(text: &str) -> Term {
        Term::Text(text.to_owned())
    }
}

impl From<&&str> for Term {
    fn from(text: &&str) -> Term {
        Term::Text((*text).to_owned())
    }
}

impl From<&String> for Term {
    fn from(text: &String) -> Term {
        Term::Text(text.clone())
    }
}

impl From<&i64> for Term {
    fn from(n: &i64) -> Term {
        Term::Number(*n)
    }
}

impl From<&u64> for Term {
    fn from(n: &u64) -> Term {
        Term::Number(i64::try_from(*n).unwrap_or(i64::MAX))
    }
}

impl From<&usize> for Term {
    fn from(n: &usize) -> Term {
        Term::Number(i64::try_from(*n).unwrap_or(i64::MAX))
    }
}

/// A [`Refusal`](crate::Refusal): its code, its words in English, and what they name.
#[macro_export]
macro_rules! refusal {
    ($code:literal, $english:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        $(let $name = &$value;)*
        $crate::Refusal::new($code, format!($english $(, $name = $name)*))
            $(.with(stringify!($name), $name))*
    }};
}

/// An error whose words are those of its `refusal()`.
#[macro_export]
macro_rules! refuses {
    ($error:ty) => {
        impl std::fmt::Display for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.refusal().fmt(f)
            }
        }
        impl std::error::Error for $error {}
    };
}
