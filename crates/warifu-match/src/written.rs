//! Definitions whose size is no sum over people: with a limit of rows, as a workbook, compressed.
//! Those that are known are written, and take part with the size that came out.

use std::{cmp::Ordering, io::Write};

use flate2::write::GzEncoder;
use rustc_hash::FxHashMap;

use crate::{
    definition::{Compression, Format, Known, OrderKey},
    dialects::{Candidate, FileFormat},
    exposure::Members,
    json_lines::JsonLines,
    maker::{Counter, Maker},
    moment::parse_moment,
    people::People,
    read::RowSource,
    verify::{VerifyError, each_member},
};

/// The exporter of workbooks.
pub const XLSX: &str = "warifu-xlsx/1";

/// A known definition with the size of its real file.
#[derive(Clone, Debug)]
pub struct Written {
    /// Which of [`SearchSpec::known`](crate::SearchSpec::known).
    pub known: usize,
    /// Rows of the people table that are in it.
    pub rows: Vec<u32>,
    /// Which of the search's [`State`](crate::search::State)s it was written from.
    pub state: usize,
    /// Size of the file.
    pub bytes: u64,
    /// How it was written.
    pub dialect: Candidate,
    /// How to write it once more; `None` when an installation wrote it.
    pub plan: Option<Plan>,
}

/// Everything that the bytes of a written file depend on.
#[derive(Clone, Debug)]
pub struct Plan {
    rows: Vec<u32>,
    ordered: bool,
    columns: Vec<usize>,
    dialect: Candidate,
    compression: Option<Compression>,
    xlsx: bool,
}

/// Writes the known definitions that have to be. Answers those written, and in words those that could
/// not be.
///
/// # Errors
/// [`VerifyError`].
pub fn write_known(
    people: &People,
    known: &[Known],
    dialects: &[Candidate],
    source: &mut dyn RowSource,
) -> Result<(Vec<Written>, Vec<String>), VerifyError> {
    let (mut written, mut left_out) = (Vec::new(), Vec::new());
    for (index, definition) in known.iter().enumerate().filter(|(_, k)| k.must_be_written()) {
        let mut leave = |why: String| {
            left_out.push(format!("definition {:?}: {why}", definition.name));
        };
        let columns = match columns_of(people, definition) {
            Ok(columns) => columns,
            Err(name) => {
                leave(format!("there is no column {name:?}"));
                continue;
            }
        };
        let rows = rows_of(people, definition, source)?;
        let own;
        let ways: &[Candidate] = match definition.format {
            Format::Csv => dialects,
            Format::Xlsx => {
                own = [Candidate::new(Default::default())];
                &own
            }
            Format::Jsonl => {
                own = [Candidate::json_lines(JsonLines::default())];
                if dialects.iter().any(|d| matches!(d.format, FileFormat::JsonLines(_))) {
                    dialects
                } else {
                    &own
                }
            }
        };
        let fits = |way: &&Candidate| match definition.format {
            Format::Csv => way.format == FileFormat::Delimited,
            Format::Jsonl => matches!(way.format, FileFormat::JsonLines(_)),
            Format::Xlsx => true,
        };
        for way in ways.iter().filter(fits) {
            let plan = Plan {
                rows: rows.clone(),
                ordered: !definition.order.is_empty(),
                columns: columns.clone(),
                dialect: way.clone(),
                compression: definition.compression,
                xlsx: definition.format == Format::Xlsx,
            };
            let bytes = plan.write(people, source, &mut std::io::sink())?;
            let exporter = |inner: &str| match definition.compression {
                Some(Compression::Gzip) => format!("{inner}+gzip:zlib-rs:6"),
                None => inner.to_owned(),
            };
            let mut dialect = way.clone();
            if definition.format == Format::Xlsx {
                dialect.format = FileFormat::Written(exporter(XLSX));
            } else if definition.compression.is_some() {
                dialect.format = FileFormat::Written(exporter(&way.id()));
            }
            let mut sorted = rows.clone();
            sorted.sort_unstable();
            written.push(Written {
                known: index,
                rows: sorted,
                state: 0,
                bytes,
                dialect,
                plan: Some(plan),
            });
        }
    }
    Ok((written, left_out))
}

fn columns_of(people: &People, known: &Known) -> Result<Vec<usize>, String> {
    if known.columns.is_empty() {
        return Ok(people.report_columns());
    }
    known.columns.iter().map(|name| people.column(name).ok_or_else(|| name.clone())).collect()
}

/// A cell to order by. Texts are compared by their bytes.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Missing,
    Moment(i64),
    Text(Box<str>),
}

/// The rows of a definition in their order, cut at its limit.
fn rows_of(
    people: &People,
    known: &Known,
    source: &mut dyn RowSource,
) -> Result<Vec<u32>, VerifyError> {
    let members = Members::new(people, &known.filter)?.all(people);
    let limit = known.limit.map_or(usize::MAX, |limit| limit as usize);
    let picked = members.iter().enumerate().filter(|(_, member)| **member);
    if known.order.is_empty() {
        return Ok(picked.map(|(row, _)| row as u32).take(limit).collect());
    }
    let find = |key: &OrderKey| {
        let have = || people.column_names().collect::<Vec<_>>().join(", ");
        people.column(&key.column).ok_or_else(|| {
            VerifyError::Search(crate::search::SearchError::NoColumn {
                name: key.column.clone(),
                have: have(),
            })
        })
    };
    let columns: Vec<usize> = known.order.iter().map(find).collect::<Result<_, _>>()?;
    let mut keyed: Vec<(Vec<Key>, u32)> = Vec::new();
    each_member(people, &members, source, &mut |row, fields| {
        let key = |column: &usize| {
            let Some(text) = fields.get(*column).copied().flatten() else { return Key::Missing };
            match parse_moment(text.as_bytes()).filter(|_| people.columns[*column].moments) {
                Some(moment) => Key::Moment(moment),
                None => Key::Text(text.into()),
            }
        };
        keyed.push((columns.iter().map(key).collect(), row as u32));
        Ok(())
    })?;
    keyed.sort_by(|(a, first), (b, second)| {
        let keys = a.iter().zip(b).zip(&known.order);
        let order = keys.map(|((a, b), key)| if key.descending { b.cmp(a) } else { a.cmp(b) });
        order.fold(Ordering::Equal, Ordering::then).then(first.cmp(second))
    });
    Ok(keyed.into_iter().map(|(_, row)| row).take(limit).collect())
}

impl Plan {
    /// Writes the file; answers its size.
    pub(crate) fn write(
        &self,
        people: &People,
        source: &mut dyn RowSource,
        out: &mut dyn Write,
    ) -> Result<u64, VerifyError> {
        let mut counter = Counter::new(out);
        match self.compression {
            None => self.make(people, source, &mut counter)?,
            Some(Compression::Gzip) => {
                let gzip = GzEncoder::new(Vec::new(), flate2::Compression::new(6));
                let mut inner = Counter::new(gzip);
                self.make(people, source, &mut inner)?;
                counter.buffer = inner.into_inner()?.finish()?;
            }
        }
        Ok(counter.finish()?)
    }

    fn make<W: Write>(
        &self,
        people: &People,
        source: &mut dyn RowSource,
        out: &mut Counter<W>,
    ) -> Result<(), VerifyError> {
        let mut maker = Maker::new(people, &self.columns, &self.dialect, self.xlsx)?;
        maker.header(out)?;
        let mut members = vec![false; people.rows as usize];
        for row in &self.rows {
            if let Some(member) = members.get_mut(*row as usize) {
                *member = true;
            }
        }
        if self.ordered {
            let places: FxHashMap<usize, usize> =
                self.rows.iter().enumerate().map(|(place, row)| (*row as usize, place)).collect();
            let mut rows: Vec<Vec<Option<String>>> = vec![Vec::new(); self.rows.len()];
            each_member(people, &members, source, &mut |row, fields| {
                if let Some(slot) = places.get(&row).and_then(|place| rows.get_mut(*place)) {
                    *slot = fields.iter().map(|field| field.map(str::to_owned)).collect();
                }
                Ok(())
            })?;
            for row in &rows {
                let fields: Vec<Option<&str>> = row.iter().map(Option::as_deref).collect();
                maker.row(&fields, out)?;
            }
        } else {
            each_member(people, &members, source, &mut |_, fields| maker.row(fields, out))?;
        }
        maker.finish(out)
    }
}
