//! What the vendor has seen of an organization, for its administrators.

use super::cases::Pager;
use super::charts;
use super::markup::Choice;
use super::shell::Shell;
use crate::i18n::When;
use askama::Template;
use askama::filters::Safe;
use warifu_app::accesses::Figures;

/// `GET /portal/access`
#[derive(Debug, Clone, Template)]
#[template(path = "portal/access.html")]
pub struct AccessPage {
    /// Frame
    pub shell: Shell,
    /// Kinds: value, label in the reader's language, chosen
    pub kinds: Vec<Choice>,
    /// The last weeks in numbers
    pub figures: Figures,
    /// The weeks; the present one is the last
    pub weeks: Vec<Week>,
    /// Accesses, newest first
    pub rows: Vec<AccessRow>,
    /// Where the list goes on
    pub pager: Pager,
    /// From when on accesses are kept, where the ledger is older
    pub kept_since: Option<When>,
    /// Entries of the whole ledger
    pub entries: i64,
    /// Its signed head; empty while it has no entry
    pub checkpoint: String,
}

/// A week.
#[derive(Debug, Clone, Default)]
pub struct Week {
    /// The day on which it begins
    pub day: String,
    /// Accesses
    pub n: i64,
    /// Of them: reports without a reason
    pub no_reason: i64,
}

/// An access.
#[derive(Debug, Clone, Default)]
pub struct AccessRow {
    /// Number of the ledger's entry
    pub number: i64,
    /// When
    pub at: When,
    /// Who; empty for somebody who is gone
    pub who: String,
    /// What they acted as, in the reader's language
    pub role: String,
    /// Icon of the sprite without `i-`
    pub icon: &'static str,
    /// What they did, in the reader's language
    pub what: String,
    /// Where that is, for what the reader can open
    pub href: Option<String>,
    /// More about it; may be empty
    pub detail: String,
    /// Why, in the reader's language; may be empty
    pub why: String,
    /// Message that says why that is empty
    pub no_why: &'static str,
    /// From where; empty where it is not known
    pub from: String,
    /// Bytes that left; not there where nothing is counted
    pub bytes: Option<i64>,
    /// It left without a reason
    pub flagged: bool,
}

impl AccessPage {
    fn chart(&self) -> Safe<String> {
        let values: Vec<(i64, bool)> = self.weeks.iter().map(|w| (w.n, w.no_reason > 0)).collect();
        charts::columns("weeks", &values, &self.chart_text())
    }

    /// The figures of the chart, as a sentence.
    fn chart_text(&self) -> String {
        let week = |w: &Week| match w.no_reason {
            0 => self.shell.n(&w.n),
            n => self.shell.t2("seen-week", "n", w.n, "without", n),
        };
        let values: Vec<String> = self.weeks.iter().map(week).collect();
        let day = self.weeks.first().map_or("", |w| w.day.as_str());
        self.shell.t2("seen-weeks-title", "day", day, "values", values.join(", "))
    }

    /// Every third day below the chart.
    fn axis(&self) -> impl Iterator<Item = &str> {
        self.weeks.iter().step_by(3).map(|w| w.day.as_str())
    }

    /// The zone by the name of its city.
    fn zone(&self) -> String {
        let name = self.shell.zone.rsplit('/').next().unwrap_or_default();
        name.replace('_', " ")
    }

    /// The root of the ledger's head, as its signed form has it.
    fn root(&self) -> &str {
        self.checkpoint.lines().nth(2).unwrap_or_default()
    }
}
