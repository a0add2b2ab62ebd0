//! The exact size of one report, from the sums of its rows: what a preview shows before anything is
//! written.

use crate::{
    dialects::{Basis, Candidate, FileFormat, Weights, bases},
    pass::{self, Layout},
    people::People,
    rows::Rows,
};

/// What a column would be in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColumnSize {
    /// Cells with something in them.
    pub filled: u64,
    /// Bytes of the values with their quotes; without delimiters, record ends and the label.
    pub bytes: u64,
}

/// What a file would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    pub rows: u64,
    pub bytes: u64,
    /// In the order in which the columns were asked for.
    pub columns: Vec<ColumnSize>,
}

/// Rows of one table.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub people: &'a People,
    pub rows: &'a Rows,
}

/// The size of the file with `columns` of the rows of all `parts`, which are tables with the same
/// columns, as [`RowWriter`](warifu_domain::dialect::RowWriter) or the JSON Lines writer would write
/// it. `None` when there is no such column, or for a file whose size is no sum.
///
/// Costs 2 to 5 ns per row and column; instants in another form than the default's cost about 30 ns
/// each. `threads` share it.
#[must_use]
pub fn size(
    parts: &[Part<'_>],
    columns: &[usize],
    form: &Candidate,
    threads: usize,
) -> Option<Size> {
    if matches!(form.format, FileFormat::Written(_)) {
        return None;
    }
    let like = parts.first()?.people;
    let labels: Vec<&str> = columns
        .iter()
        .map(|c| like.columns.get(*c).map(|c| c.name.as_str()))
        .collect::<Option<_>>()?;
    let any_empty = parts
        .iter()
        .any(|p| columns.iter().any(|c| p.people.columns.get(*c).is_some_and(|c| c.empty > 0)));
    let bases = bases(std::slice::from_ref(form), any_empty);
    let weights = Weights::new(form, &bases, &labels);
    let empty = bases.iter().position(|basis| *basis == Basis::Empty);
    let layout = Layout { columns: columns.to_vec(), bases };
    let width = layout.bases.len();
    let mut rows = 0;
    let mut sizes = vec![ColumnSize::default(); columns.len()];
    for part in parts {
        let (count, sums) = pass::sums_of(part.people, part.rows, &layout, threads)?;
        rows += count;
        for ((column, size), sums) in columns.iter().zip(&mut sizes).zip(sums.chunks(width)) {
            let instants = form.convert_timestamps && part.people.columns.get(*column)?.moments;
            let missing = empty.and_then(|at| sums.get(at)).copied().unwrap_or(0);
            let filled = sums.get(1).copied().unwrap_or(0);
            size.filled += filled.saturating_sub(missing);
            size.bytes += weights.cells(instants, count, sums);
            if columns.len() == 1 {
                size.bytes += weights.lone(count, filled, missing);
            }
        }
    }
    let mut bytes = weights.base(rows);
    for (index, size) in sizes.iter().enumerate() {
        bytes += (size.bytes + weights.frame(index, rows)) as i64;
    }
    Some(Size { rows, bytes: bytes.max(0) as u64, columns: sizes })
}
