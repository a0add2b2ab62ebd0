//! Writing the real file of a candidate: proof that its size was computed right, and the only way
//! to a size that is no sum over people.

use std::io::{self, Write};

use crate::{
    answer::Candidate,
    exposure::Members,
    maker::{Counter, Maker},
    people::People,
    read::{ReadError, RowSource},
    search::SearchError,
};

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The source of the rows.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The candidate does not belong to these people.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The file to write.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The source has other rows than before.
    #[error("the people changed while they were searched: {0} rows, then {1}")]
    Changed(u64, u64),
    /// A workbook that cannot be made.
    #[error("XLSX: {0}")]
    Xlsx(String),
}

/// Writes the file of `candidate` to `out` and answers its size in bytes.
///
/// # Errors
/// [`VerifyError`].
pub fn write_file(
    people: &People,
    candidate: &Candidate,
    source: &mut dyn RowSource,
    out: &mut dyn Write,
) -> Result<u64, VerifyError> {
    if let Some(plan) = &candidate.plan {
        return plan.write(people, source, out);
    }
    let members = Members::new(people, &candidate.predicates)?.all(people);
    let columns: Vec<usize> =
        candidate.columns.iter().filter_map(|name| people.column(name)).collect();
    let mut counter = Counter::new(out);
    let mut maker = Maker::new(people, &columns, &candidate.raw_dialect, false)?;
    maker.header(&mut counter)?;
    each_member(people, &members, source, &mut |_, fields| maker.row(fields, &mut counter))?;
    maker.finish(&mut counter)?;
    Ok(counter.finish()?)
}

/// Takes a row's number and fields.
type Visit<'a> = dyn FnMut(usize, &[Option<&str>]) -> Result<(), VerifyError> + 'a;

/// Calls `visit` with the rows that are `members`, and makes sure that the source is still what was
/// searched.
pub(crate) fn each_member(
    people: &People,
    members: &[bool],
    source: &mut dyn RowSource,
    visit: &mut Visit<'_>,
) -> Result<(), VerifyError> {
    let mut row = 0_usize;
    let mut failed = None;
    source.each(&mut |fields| {
        if members.get(row).copied().unwrap_or(false) {
            failed = visit(row, fields).err();
        }
        row += 1;
        failed.is_none()
    })?;
    match failed {
        Some(error) => Err(error),
        None if row as u64 != people.rows => Err(VerifyError::Changed(people.rows, row as u64)),
        None => Ok(()),
    }
}

/// Writes the files of the first `most` candidates nowhere and notes whether they have the size that
/// was computed.
///
/// # Errors
/// [`VerifyError`].
pub fn verify(
    people: &People,
    candidates: &mut [Candidate],
    most: usize,
    source: &mut dyn RowSource,
) -> Result<(), VerifyError> {
    for candidate in candidates.iter_mut().take(most) {
        let bytes = write_file(people, candidate, source, &mut io::sink())?;
        candidate.verified = Some(bytes == candidate.bytes);
    }
    Ok(())
}
