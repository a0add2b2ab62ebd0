//! Writing the real file of a candidate: proof that its size was computed right.

use std::io::{self, Write};

use warifu_domain::dialect::{Cell, RowWriter};

use crate::{
    answer::Candidate,
    exposure::Members,
    moment::parse_moment,
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
    let members = Members::new(people, &candidate.predicates)?.all(people);
    let columns: Vec<usize> =
        candidate.columns.iter().filter_map(|name| people.column(name)).collect();
    let labels: Vec<&str> = columns.iter().map(|c| people.columns[*c].name.as_str()).collect();
    let mut writer = RowWriter::new(&candidate.raw_dialect.dialect, &labels);
    let convert = candidate.raw_dialect.convert_timestamps;
    let moments: Vec<bool> =
        columns.iter().map(|column| convert && people.columns[*column].moments).collect();
    let mut buffer = Vec::with_capacity(1 << 17);
    let mut bytes = 0;
    let mut row = 0_usize;
    let mut failed = None;
    writer.header(&mut buffer);
    source.each(&mut |fields| {
        let member = members.get(row).copied().unwrap_or(false);
        row += 1;
        if !member {
            return true;
        }
        let cells = columns.iter().zip(&moments).map(|(column, moment)| {
            let field = fields.get(*column).copied().flatten();
            match field.filter(|_| *moment).and_then(|text| parse_moment(text.as_bytes())) {
                Some(micros) => Cell::Micros(micros),
                None => Cell::from(field),
            }
        });
        writer.row_cells(cells, &mut buffer);
        if buffer.len() > 1 << 16 {
            bytes += buffer.len() as u64;
            failed = out.write_all(&buffer).err();
            buffer.clear();
        }
        failed.is_none()
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    if row as u64 != people.rows {
        return Err(VerifyError::Changed(people.rows, row as u64));
    }
    writer.finish(&mut buffer);
    bytes += buffer.len() as u64;
    out.write_all(&buffer)?;
    out.flush()?;
    Ok(bytes)
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
