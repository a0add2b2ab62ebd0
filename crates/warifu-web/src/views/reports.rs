//! Saved report definitions and the builder.

use askama::Template;
use askama::filters::Safe;

use super::cases::Pager;
use super::markup::Choice;
use super::shell::Shell;
use super::{charts, people};
use crate::i18n::When;

/// `GET /reports`
#[derive(Debug, Clone, Template)]
#[template(path = "reports/list.html")]
pub struct ReportList {
    /// Frame
    pub shell: Shell,
    /// Saved definitions
    pub rows: Vec<DefinitionRow>,
    /// Where the list goes on
    pub pager: Pager,
}

/// One saved definition.
#[derive(Debug, Clone, Default)]
pub struct DefinitionRow {
    /// Id
    pub id: String,
    /// Name
    pub name: String,
    /// What it is about, in the reader's language
    pub subject: String,
    /// Filter in words; empty for none
    pub filter: String,
    /// Number of columns
    pub columns: i64,
    /// How many of them are personal
    pub personal: i64,
    /// Format in short, e.g. `CSV, CRLF, BOM`
    pub format: String,
    /// Whether it runs only with an approval (no filter, or over a limit)
    pub needs_approval: bool,
    /// Versions, newest first: number, who, when
    pub versions: Vec<people::Version>,
}

/// `GET /reports/new`, `GET /reports/{id}`, and the answer to each press of a button of the form,
/// which posts the whole form to `/reports/build` with the button's `do`.
///
/// Names of fields: `name`, `subject`, `column` (repeated), `g.PATH` (`all` or `any`), `c.PATH`,
/// `o.PATH`, `v.PATH` (column, comparison and value of a rule), `order.N`, `direction.N`, `limit`
/// and those of [`Setting::name`]. `do` is `preview`, `save`, `run`, `ask`, `add-rule:PATH`,
/// `add-group:PATH`, `remove:PATH`, `add-order`, `remove-order:N`, `columns-all`,
/// `columns-none` or `restore-filter`. PATH is the position in the tree: `0` is the root, `0.2`
/// its third child.
#[derive(Debug, Clone, Template)]
#[template(path = "reports/builder.html", blocks = ["preview", "filters"])]
pub struct ReportBuilder {
    /// Frame
    pub shell: Shell,
    /// Id of the saved definition; `None` while it is not saved
    pub id: Option<String>,
    /// Its version
    pub version: i64,
    /// Name
    pub name: String,
    /// What it can be about; the label is in the reader's language
    pub subjects: Vec<Choice>,
    /// Columns of the subject in their order
    pub columns: Vec<Column>,
    /// The filter tree, flattened in the order in which it is drawn
    pub filter: Vec<FilterLine>,
    /// Comparisons
    pub operators: Vec<Choice>,
    /// Order: column key and whether it descends
    pub order: Vec<(String, bool)>,
    /// Most rows; empty for all
    pub limit: String,
    /// Format and dialect
    pub settings: Vec<Setting>,
    /// What the file would be; `None` before the first look
    pub preview: Option<Preview>,
    /// Who could approve
    pub approvers: Vec<Choice>,
    /// What it is for
    pub purpose: String,
    /// What is wrong: name of the field and sentence in the reader's language
    pub errors: Vec<(String, String)>,
}

/// A column to choose.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Key in the definition
    pub key: String,
    /// Label, in the reader's language
    pub label: String,
    /// Whether it is personal
    pub personal: bool,
    /// Share of records that have it filled, where it is known
    pub filled: Option<f64>,
    /// Whether it is in the report
    pub chosen: bool,
    /// Whether a report can show it; the others can only be filtered by
    pub shown: bool,
}

/// One line of the filter tree.
#[derive(Debug, Clone)]
pub enum FilterLine {
    /// A group begins
    Open {
        /// Position in the tree
        path: String,
        /// Whether one of its conditions is enough; else all must hold
        any: bool,
    },
    /// A condition
    Rule {
        /// Position in the tree
        path: String,
        /// Key of the column
        column: String,
        /// Comparison
        operator: String,
        /// Value; not used by `filled` and `blank`
        value: String,
    },
    /// The group ends
    Close {
        /// Position in the tree
        path: String,
    },
}

/// One setting of the format.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// Name of the field, one of `reports::settings::NAMES`
    pub name: String,
    /// Label, in the reader's language
    pub label: String,
    /// What can be chosen; empty when it is written
    pub choices: Vec<Choice>,
    /// What was written
    pub text: String,
    /// Several lines can be written
    pub long: bool,
}

/// What the file would be, counted exactly.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// As of when
    pub as_of: When,
    /// Revision
    pub revision: i64,
    /// Rows
    pub rows: i64,
    /// Organizations among them
    pub organizations: i64,
    /// Chosen personal columns, and all there are
    pub personal: (i64, i64),
    /// Bytes, exact
    pub bytes: i64,
    /// Limits of this person for rows, organizations, personal columns, bytes; `None` for none
    pub limits: [Option<i64>; 4],
    /// Rows and organizations there are in all
    pub everything: (i64, i64),
    /// Labels of the columns
    pub header: Vec<String>,
    /// A few rows with contact data masked; `None` is blank
    pub sample: Vec<Vec<Option<String>>>,
    /// The decision it needs, if any
    pub decision: Option<Decision>,
    /// The definition as text
    pub definition: String,
    /// Its SHA-256 in hexadecimal, in groups
    pub digest: String,
    /// Parameters of the step-up by which it is prepared, where it is a decision
    pub key_for: String,
    /// Format in short
    pub format: String,
}

/// Why a report needs a decision.
#[derive(Debug, Clone)]
pub enum Decision {
    /// No filter is set: it would contain everyone
    NoFilter {
        /// What was removed, with the rows and bytes it gave; `None` when there never was one
        removed: Option<(String, i64, i64)>,
    },
    /// It is over a limit
    OverLimit,
}

/// One gauge of what leaves.
struct Gauge {
    label: &'static str,
    value: i64,
    of: Option<i64>,
    limit: Option<i64>,
    bar: Safe<String>,
    over: bool,
}

impl Preview {
    fn gauges(&self) -> [Gauge; 4] {
        let values = [
            ("gauge-people", self.rows, None, self.everything.0),
            ("gauge-organizations", self.organizations, None, self.everything.1),
            ("gauge-personal", self.personal.0, Some(self.personal.1), self.personal.1),
            ("gauge-bytes", self.bytes, None, self.bytes.saturating_mul(10)),
        ];
        let limits = self.limits;
        let mut at = 0;
        values.map(|(label, value, of, top)| {
            let limit = limits.get(at).copied().flatten();
            at += 1;
            let over = limit.is_some_and(|limit| value > limit);
            let top = top.max(value).max(limit.unwrap_or(0));
            let bar = charts::bar(
                charts::log_share(value, top),
                if over { "warn" } else { "fill" },
                "",
                limit.map(|limit| charts::log_share(limit, top)),
            );
            Gauge { label, value, of, limit, bar, over }
        })
    }

    fn over(&self) -> usize {
        self.gauges().iter().filter(|gauge| gauge.over).count()
    }
}

impl ReportBuilder {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| name == field).map(|(_, text)| text.as_str())
    }

    fn chosen(&self) -> usize {
        self.columns.iter().filter(|column| column.chosen).count()
    }

    /// Columns that a report can show.
    fn shown(&self) -> usize {
        self.columns.iter().filter(|column| column.shown).count()
    }

    fn filtered(&self) -> bool {
        self.filter.iter().any(|line| matches!(line, FilterLine::Rule { .. }))
    }

    fn needs_approval(&self) -> bool {
        self.preview.as_ref().is_some_and(|preview| preview.decision.is_some())
    }
}
