//! People in memory: per cell a two-byte shape, for some columns a code or an instant, no text.
//!
//! 15 fields and 7 attributes take about 60 bytes per person; blank cells of sparse columns nothing.

use serde::Serialize;
use warifu_domain::{dialect::write_timestamp, reports::Value};

use crate::{
    dictionary::Dictionary,
    moment::parse_moment,
    shape::{EMPTY, LISTED, NULL, Shape, ShapeTable},
};

/// Rows per segment when rows are pushed one by one.
const SEGMENT_ROWS: usize = 1 << 16;
/// A column with more different values is not "one of a few".
const FEW: usize = 512;
/// Organizations and mail domains are counted up to this many.
const MANY: usize = 1 << 20;

/// What is known of a column before its first value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text, or not known.
    #[default]
    Text,
    /// Instants, handed over in a form that [`crate::read`] knows, e.g. `2023-09-28T15:06:00Z`.
    Timestamp,
}

/// A column of a people table.
#[derive(Clone, Debug)]
pub struct ColumnSpec {
    /// The label, as it stands in a file's header.
    pub name: String,
    /// Type.
    pub kind: ColumnKind,
    /// Can be part of a report; otherwise it can only be filtered by.
    pub report: bool,
    /// Keep every different value (up to a million), because a definition names one.
    pub keep_values: bool,
}

impl ColumnSpec {
    /// A text column that can be reported.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: ColumnKind::Text, report: true, keep_values: false }
    }
}

/// What a column means, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Meaning {
    /// A person's name.
    Name,
    /// An e-mail address.
    Email,
    /// Contact data beyond name and e-mail address.
    Contact,
    /// The organization that the person belongs to.
    Organization,
    /// Anything else.
    Other,
}

/// The 15 fields of a person's record, folded as [`fold`] does.
const RECORD: [&[&str]; 15] = [
    &["createddate", "created", "createdat"],
    &["lastlogin", "lastlogindate"],
    &["fullname", "name"],
    &["username"],
    &["email", "emailaddress"],
    &["companyname", "company"],
    &["usertype"],
    &["address"],
    &[
        "lastpwchange",
        "lastpasswordchange",
        "lastpasswordchangeorreset",
        "dateoflastpasswordchangeorreset",
    ],
    &["rolename"],
    &["roledesc", "roledescription"],
    &["phone"],
    &["mobile"],
    &["timezone"],
    &["samlfederationid"],
];

/// Letters and digits of a column name, in lower case: `SAML Federation ID` = `saml_federation_id`.
#[must_use]
pub fn fold(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Marks the report columns: the 15 fields of a person's record when all of them are there, so that
/// what stands beside them is taken as attributes; otherwise every column.
pub fn mark_report_columns(columns: &mut [ColumnSpec]) {
    let folded: Vec<String> = columns.iter().map(|column| fold(&column.name)).collect();
    let find = |names: &[&str]| folded.iter().position(|have| names.contains(&have.as_str()));
    let record: Option<Vec<usize>> = RECORD.iter().map(|names| find(names)).collect();
    for (index, column) in columns.iter_mut().enumerate() {
        column.report = record.as_ref().is_none_or(|record| record.contains(&index));
    }
}

impl Meaning {
    pub(crate) fn of(name: &str) -> Self {
        match fold(name).as_str() {
            "fullname" | "name" | "displayname" | "firstname" | "lastname" => Self::Name,
            "email" | "emailaddress" | "mail" => Self::Email,
            "address" | "phone" | "mobile" | "street" | "city" | "postalcode"
            | "mailingaddress" | "phonenumber" | "fax" => Self::Contact,
            "companyname" | "company" | "organization" | "organisation" | "accountname" => {
                Self::Organization
            }
            _ => Self::Other,
        }
    }
}

/// Cells of one column in one segment. Codes and instants stand for the filled cells only, in row
/// order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    pub shapes: Shapes,
    pub listed: Vec<Shape>,
    pub codes: Codes,
    pub moments: Vec<i64>,
}

#[derive(Clone, Debug)]
pub(crate) enum Shapes {
    Dense(Vec<u16>),
    Sparse(Vec<(u32, u16)>),
}

impl Default for Shapes {
    fn default() -> Self {
        Self::Sparse(Vec::new())
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) enum Codes {
    #[default]
    None,
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

impl Codes {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Narrow(codes) => codes.len(),
            Self::Wide(codes) => codes.len(),
        }
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<u32> {
        match self {
            Self::None => None,
            Self::Narrow(codes) => codes.get(index).map(|code| u32::from(*code)),
            Self::Wide(codes) => codes.get(index).copied(),
        }
    }
}

impl Shapes {
    /// Calls `visit(nth filled, row, shape)` for every cell that is not missing.
    #[inline]
    pub(crate) fn for_each(&self, mut visit: impl FnMut(usize, usize, u16)) {
        match self {
            Self::Dense(shapes) => {
                let mut nth = 0;
                for (row, shape) in shapes.iter().enumerate() {
                    if *shape != NULL {
                        visit(nth, row, *shape);
                        nth += 1;
                    }
                }
            }
            Self::Sparse(cells) => {
                for (nth, (row, shape)) in cells.iter().enumerate() {
                    visit(nth, *row as usize, *shape);
                }
            }
        }
    }
}

impl Shapes {
    /// Calls `visit(row, shape)` for the cells of some rows that are not missing. `listed` are the rows,
    /// `members` says the same per row: of a dense column only the listed cells are looked at.
    #[inline]
    pub(crate) fn for_members(
        &self,
        listed: &[u32],
        members: &[bool],
        mut visit: impl FnMut(usize, u16),
    ) {
        match self {
            Self::Dense(shapes) => {
                for row in listed {
                    match shapes.get(*row as usize) {
                        Some(shape) if *shape != NULL => visit(*row as usize, *shape),
                        _ => {}
                    }
                }
            }
            Self::Sparse(cells) => {
                for (row, shape) in cells {
                    if members.get(*row as usize) == Some(&true) {
                        visit(*row as usize, *shape);
                    }
                }
            }
        }
    }
}

/// A run of rows, as one reader thread left it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    pub rows: usize,
    /// Which [`Tables`] its shapes and codes refer to.
    pub tables: usize,
    pub columns: Vec<Cells>,
}

/// Shapes and dictionaries of one reader thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub columns: Vec<ColumnTables>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnTables {
    pub shapes: ShapeTable,
    pub dictionary: Dictionary,
    /// Local code → code in [`Column::values`].
    pub codes: Vec<u32>,
    pub coded: bool,
    pub failed_moments: u64,
    pub filled: u64,
    pub empty: u64,
}

/// A column, once all rows are in.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub name: String,
    pub report: bool,
    pub meaning: Meaning,
    /// Every filled cell is an instant.
    pub moments: bool,
    /// Different values (of an e-mail column: domains) with their counts, if there are few enough.
    pub values: Option<Vec<(String, u64)>>,
    /// The values are whole values, not domains.
    pub whole: bool,
    pub filled: u64,
    pub empty: u64,
    pub first_moment: i64,
    pub last_moment: i64,
}

/// How the cells of a column are taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    Moments,
    Values { wide: bool },
    Domains,
}

/// Takes in cells of one segment after another; one per reader thread.
#[derive(Debug)]
pub(crate) struct Intake {
    takes: Vec<Take>,
    pub tables: Tables,
    sqlite: bool,
    dense: Vec<Vec<u16>>,
    open: Vec<Cells>,
    plain_scratch: Vec<u8>,
}

impl Intake {
    pub(crate) fn new(columns: &[ColumnSpec], sqlite: bool) -> Self {
        let takes: Vec<Take> = columns
            .iter()
            .map(|column| match (column.kind, Meaning::of(&column.name)) {
                (ColumnKind::Timestamp, _) => Take::Moments,
                (_, Meaning::Email) if !column.keep_values => Take::Domains,
                (_, Meaning::Organization) => Take::Values { wide: true },
                _ => Take::Values { wide: column.keep_values },
            })
            .collect();
        let tables = takes
            .iter()
            .map(|take| {
                let limit = if *take == (Take::Values { wide: false }) { FEW } else { MANY };
                let coded = *take != Take::Moments;
                ColumnTables { dictionary: Dictionary::new(limit), coded, ..Default::default() }
            })
            .collect();
        Self {
            tables: Tables { columns: tables },
            sqlite,
            dense: vec![Vec::new(); takes.len()],
            open: takes.iter().map(fresh).collect(),
            takes,
            plain_scratch: Vec::new(),
        }
    }

    /// Makes room for a segment of at most `rows` rows.
    pub(crate) fn begin(&mut self, rows: usize) {
        for shapes in &mut self.dense {
            shapes.clear();
            shapes.resize(rows, NULL);
        }
    }

    /// A filled cell. `suspect`: the text may hold other than printable ASCII without separators,
    /// quotes and backslashes.
    #[inline]
    pub(crate) fn put(&mut self, column: usize, row: usize, text: &[u8], suspect: bool) {
        let (Some(tables), Some(cells), Some(take)) = (
            self.tables.columns.get_mut(column),
            self.open.get_mut(column),
            self.takes.get(column),
        ) else {
            return;
        };
        tables.filled += 1;
        let id = if text.is_empty() {
            tables.empty += 1;
            EMPTY
        } else if !suspect && !self.sqlite && text.len() < 4095 {
            text.len() as u16 + 1
        } else {
            let shape = Shape::of(text, self.sqlite);
            let id = tables.shapes.id(shape);
            if id == LISTED {
                cells.listed.push(shape);
            }
            id
        };
        if let Some(slot) = self.dense.get_mut(column).and_then(|shapes| shapes.get_mut(row)) {
            *slot = id;
        }
        match take {
            Take::Moments => {
                let moment = parse_moment(text).unwrap_or_else(|| {
                    tables.failed_moments += u64::from(!text.is_empty());
                    i64::MIN
                });
                cells.moments.push(moment);
            }
            Take::Values { .. } | Take::Domains if !tables.coded => {}
            Take::Values { .. } => code(tables, cells, text),
            Take::Domains => {
                let at = memchr::memrchr(b'@', text).map_or(0, |at| at + 1);
                let domain = text.get(at..).unwrap_or_default();
                if domain.iter().any(u8::is_ascii_uppercase) {
                    self.plain_scratch.clear();
                    self.plain_scratch.extend(domain.iter().map(u8::to_ascii_lowercase));
                    code(tables, cells, &self.plain_scratch);
                } else {
                    code(tables, cells, domain);
                }
            }
        }
    }

    /// A filled cell of a column of instants, as microseconds since the epoch; its text is the one
    /// of the default dialect.
    pub(crate) fn put_moment(&mut self, column: usize, row: usize, micros: i64) {
        let (Some(tables), Some(cells)) =
            (self.tables.columns.get_mut(column), self.open.get_mut(column))
        else {
            return;
        };
        self.plain_scratch.clear();
        write_timestamp(micros, &mut self.plain_scratch);
        tables.filled += 1;
        let id = tables.shapes.id(Shape::of(&self.plain_scratch, self.sqlite));
        if id == LISTED {
            cells.listed.push(Shape::of(&self.plain_scratch, self.sqlite));
        }
        if let Some(slot) = self.dense.get_mut(column).and_then(|shapes| shapes.get_mut(row)) {
            *slot = id;
        }
        cells.moments.push(micros);
    }

    /// Ends the segment after `rows` rows.
    pub(crate) fn end(&mut self, rows: usize, tables: usize) -> Segment {
        let mut columns = Vec::with_capacity(self.open.len());
        for ((cells, dense), take) in self.open.iter_mut().zip(&mut self.dense).zip(&self.takes) {
            let mut cells = std::mem::replace(cells, fresh(take));
            dense.truncate(rows);
            let filled = dense.iter().filter(|shape| **shape != NULL).count();
            cells.shapes = if filled * 3 < rows {
                let filled = dense.iter().enumerate().filter(|(_, shape)| **shape != NULL);
                Shapes::Sparse(filled.map(|(row, shape)| (row as u32, *shape)).collect())
            } else {
                Shapes::Dense(dense.as_slice().into())
            };
            cells.moments.shrink_to_fit();
            match &mut cells.codes {
                Codes::None => {}
                Codes::Narrow(codes) => codes.shrink_to_fit(),
                Codes::Wide(codes) => codes.shrink_to_fit(),
            }
            columns.push(cells);
        }
        Segment { rows, tables, columns }
    }
}

fn fresh(take: &Take) -> Cells {
    let codes = match take {
        Take::Moments => Codes::None,
        Take::Values { wide: false } => Codes::Narrow(Vec::new()),
        Take::Values { wide: true } | Take::Domains => Codes::Wide(Vec::new()),
    };
    Cells { codes, ..Cells::default() }
}

#[inline]
fn code(tables: &mut ColumnTables, cells: &mut Cells, text: &[u8]) {
    match (tables.dictionary.code(text), &mut cells.codes) {
        (Some(code), Codes::Narrow(codes)) => codes.push(code as u16),
        (Some(code), Codes::Wide(codes)) => codes.push(code),
        _ => {
            tables.coded = false;
            tables.dictionary = Dictionary::default();
            cells.codes = Codes::None;
        }
    }
}

/// A table of people, ready to be searched.
#[derive(Clone, Debug)]
pub struct People {
    pub(crate) columns: Vec<Column>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) tables: Vec<Tables>,
    pub(crate) rows: u64,
    /// Bytes of the source, 0 when rows were pushed.
    pub(crate) bytes: u64,
    /// The source spells missing values as empty texts.
    pub(crate) empty_is_null: bool,
}

impl People {
    /// Puts the work of reader threads together. `empty_is_null`: the source cannot tell an empty
    /// text from a missing value.
    pub(crate) fn assemble(
        specs: &[ColumnSpec],
        mut segments: Vec<Segment>,
        mut tables: Vec<Tables>,
        bytes: u64,
        empty_is_null: bool,
    ) -> Self {
        let mut columns = Vec::with_capacity(specs.len());
        for (index, spec) in specs.iter().enumerate() {
            columns.push(assemble_column(spec, index, &mut segments, &mut tables));
        }
        if empty_is_null {
            for segment in &mut segments {
                for cells in &mut segment.columns {
                    drop_empty(cells);
                }
            }
            for column in &mut columns {
                column.filled -= column.empty;
                column.empty = 0;
                if let Some(values) = &mut column.values {
                    // The code stays, so that codes keep their places; nothing refers to it.
                    values.iter_mut().filter(|(value, _)| value.is_empty()).for_each(|v| v.1 = 0);
                }
            }
        }
        let rows = segments.iter().map(|segment| segment.rows as u64).sum();
        Self { columns, segments, tables, rows, bytes, empty_is_null }
    }

    /// How many people.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Labels of all columns, in order.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Index of the column called `name`, exactly or as [`fold`] sees it.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name).or_else(|| {
            let name = fold(name);
            self.columns.iter().position(|column| fold(&column.name) == name)
        })
    }

    /// Indexes of the columns that a report can have.
    pub(crate) fn report_columns(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|index| self.columns[*index].report).collect()
    }
}

fn assemble_column(
    spec: &ColumnSpec,
    index: usize,
    segments: &mut [Segment],
    tables: &mut [Tables],
) -> Column {
    let mut coded = spec.kind != ColumnKind::Timestamp;
    let (mut filled, mut empty, mut failed) = (0, 0, 0);
    let mut merged = Dictionary::new(MANY);
    let limit =
        if spec.keep_values || Meaning::of(&spec.name) != Meaning::Other { MANY } else { FEW };
    for tables in tables.iter_mut() {
        let Some(tables) = tables.columns.get_mut(index) else { continue };
        filled += tables.filled;
        empty += tables.empty;
        failed += tables.failed_moments;
        coded &= tables.coded;
        if coded {
            let codes = tables.dictionary.values().iter().map(|value| merged.code(value));
            match codes.collect::<Option<Vec<u32>>>() {
                Some(codes) => tables.codes = codes,
                None => coded = false,
            }
        }
    }
    coded &= merged.values().len() <= limit;
    let mut counts = vec![0_u64; merged.values().len()];
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    for segment in segments.iter_mut() {
        let Some(cells) = segment.columns.get_mut(index) else { continue };
        if !coded {
            cells.codes = Codes::None;
        }
        let map = tables.get(segment.tables).and_then(|tables| tables.columns.get(index));
        if let Some(map) = map {
            let mut count = |code: u32| {
                let slot = map.codes.get(code as usize).and_then(|at| counts.get_mut(*at as usize));
                if let Some(slot) = slot {
                    *slot += 1;
                }
            };
            match &cells.codes {
                Codes::None => {}
                Codes::Narrow(codes) => codes.iter().for_each(|code| count(u32::from(*code))),
                Codes::Wide(codes) => codes.iter().for_each(|code| count(*code)),
            }
        }
        for moment in cells.moments.iter().filter(|moment| **moment != i64::MIN) {
            first = first.min(*moment);
            last = last.max(*moment);
        }
    }
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    Column {
        name: spec.name.clone(),
        report: spec.report,
        meaning: Meaning::of(&spec.name),
        moments: spec.kind == ColumnKind::Timestamp && failed == 0 && first <= last,
        values: coded.then(|| merged.values().iter().map(|v| text(v)).zip(counts).collect()),
        whole: spec.keep_values || Meaning::of(&spec.name) != Meaning::Email,
        filled,
        empty,
        first_moment: first,
        last_moment: last,
    }
}

fn drop_empty(cells: &mut Cells) {
    let mut kept_codes = Vec::new();
    let mut kept_moments = Vec::new();
    let mut found = false;
    cells.shapes.for_each(|nth, _, shape| {
        found |= shape == EMPTY;
        kept_codes.extend(cells.codes.get(nth).filter(|_| shape != EMPTY));
        kept_moments.extend(cells.moments.get(nth).copied().filter(|_| shape != EMPTY));
    });
    if !found {
        return;
    }
    cells.moments = kept_moments;
    cells.codes = match &cells.codes {
        Codes::None => Codes::None,
        Codes::Narrow(_) => Codes::Narrow(kept_codes.iter().map(|code| *code as u16).collect()),
        Codes::Wide(_) => Codes::Wide(kept_codes),
    };
    match &mut cells.shapes {
        Shapes::Dense(shapes) => {
            shapes.iter_mut().filter(|shape| **shape == EMPTY).for_each(|shape| *shape = NULL);
        }
        Shapes::Sparse(filled) => filled.retain(|(_, shape)| *shape != EMPTY),
    }
}

/// A row that does not fit its table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row} has {found} fields where the table has {expected} columns")]
pub struct WrongWidth {
    /// Counted from 1.
    pub row: u64,
    /// Fields handed over.
    pub found: usize,
    /// Columns of the table.
    pub expected: usize,
}

/// Takes people in row by row, for installations that hand over their own database as of a revision.
#[derive(Debug)]
pub struct PeopleBuilder {
    specs: Vec<ColumnSpec>,
    intake: Intake,
    segments: Vec<Segment>,
    row: usize,
    rows: u64,
}

impl PeopleBuilder {
    /// A builder for `columns`. Set their `report` yourself or with [`mark_report_columns`].
    #[must_use]
    pub fn new(columns: Vec<ColumnSpec>) -> Self {
        Self::with_sqlite_quoting(columns, false)
    }

    /// As [`new`](Self::new); `sqlite` also takes in what [`warifu_domain::dialect::Quote::Sqlite`]
    /// needs to know, which costs time.
    #[must_use]
    pub fn with_sqlite_quoting(columns: Vec<ColumnSpec>, sqlite: bool) -> Self {
        let mut intake = Intake::new(&columns, sqlite);
        intake.begin(SEGMENT_ROWS);
        Self { specs: columns, intake, segments: Vec::new(), row: 0, rows: 0 }
    }

    /// Takes in one person; `None` is a missing value.
    ///
    /// # Errors
    /// [`WrongWidth`] when the row has more or fewer fields than the table has columns.
    pub fn push(&mut self, fields: &[Option<&str>]) -> Result<(), WrongWidth> {
        self.check_width(fields.len())?;
        for (column, field) in fields.iter().enumerate() {
            if let Some(text) = field {
                self.intake.put(column, self.row, text.as_bytes(), true);
            }
        }
        self.next_row();
        Ok(())
    }

    /// Takes in one person whose values have types. Instants keep their microseconds in columns of
    /// [`ColumnKind::Timestamp`]; numbers and flags become texts.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_values(&mut self, values: &[Value<'_>]) -> Result<(), WrongWidth> {
        self.check_width(values.len())?;
        let mut text = String::new();
        for (column, value) in values.iter().enumerate() {
            match value {
                Value::Null => {}
                Value::Text(t) => self.intake.put(column, self.row, t.as_bytes(), true),
                Value::Time(t) if self.specs[column].kind == ColumnKind::Timestamp => {
                    self.intake.put_moment(column, self.row, *t);
                }
                Value::Time(n) | Value::Number(n) => {
                    text.clear();
                    let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{n}"));
                    self.intake.put(column, self.row, text.as_bytes(), false);
                }
                Value::Bool(b) => {
                    let text = if *b { "true" } else { "false" };
                    self.intake.put(column, self.row, text.as_bytes(), false);
                }
            }
        }
        self.next_row();
        Ok(())
    }

    fn check_width(&mut self, found: usize) -> Result<(), WrongWidth> {
        self.rows += 1;
        let (row, expected) = (self.rows, self.specs.len());
        if found == expected { Ok(()) } else { Err(WrongWidth { row, found, expected }) }
    }

    fn next_row(&mut self) {
        self.row += 1;
        if self.row == SEGMENT_ROWS {
            self.segments.push(self.intake.end(self.row, 0));
            self.intake.begin(SEGMENT_ROWS);
            self.row = 0;
        }
    }

    /// All people are in.
    #[must_use]
    pub fn finish(mut self) -> People {
        if self.row > 0 {
            self.segments.push(self.intake.end(self.row, 0));
        }
        let tables = vec![self.intake.tables];
        People::assemble(&self.specs, self.segments, tables, 0, false)
    }
}
