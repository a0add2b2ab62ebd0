//! People files: delimited text, JSON Lines, Parquet.

mod blocks;
mod delimited;
mod jsonl;
#[cfg(feature = "parquet")]
mod parquet;

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use crate::people::People;

pub use blocks::{find_delimiter, read_delimited, read_header, visit_rows};

/// How to read a people file.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Labels of report columns; by default [`crate::people::mark_report_columns`] decides.
    pub report_columns: Option<Vec<String>>,
    /// Columns whose every value is kept, because a definition names one.
    pub keep_values: Vec<String>,
    /// Also measure what `sqlite3 -csv` would quote.
    pub sqlite_quoting: bool,
    /// Reader threads; 0 = as many as the machine has, at most 8.
    pub threads: usize,
}

impl ReadOptions {
    pub(crate) fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from).min(8),
            threads => threads,
        }
    }

    /// Applies the options to columns whose names and kinds are known.
    ///
    /// # Errors
    /// [`ReadError::NoColumn`] when a report column is not in the file.
    pub fn apply(&self, columns: &mut [crate::people::ColumnSpec]) -> Result<(), ReadError> {
        crate::people::mark_report_columns(columns);
        let fold = crate::people::fold;
        if let Some(names) = &self.report_columns {
            for name in names {
                if !columns.iter().any(|column| fold(&column.name) == fold(name)) {
                    let have = columns.iter().map(|column| column.name.as_str());
                    let have = have.collect::<Vec<_>>().join(", ");
                    return Err(ReadError::NoColumn { name: name.clone(), have });
                }
            }
            for column in columns.iter_mut() {
                column.report = names.iter().any(|name| fold(name) == fold(&column.name));
            }
        }
        for column in columns.iter_mut() {
            column.keep_values |= self.keep_values.iter().any(|n| fold(n) == fold(&column.name));
        }
        Ok(())
    }
}

/// Why a people file cannot be used: what, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system's word.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Something in the text.
    #[error("line {line}, byte {byte}: {what}")]
    Text {
        /// Counted from 1.
        line: u64,
        /// Offset in the file, from 0.
        byte: u64,
        /// What is wrong and how to mend it.
        what: String,
    },
    /// The header is not usable.
    #[error("header: {0}")]
    Header(String),
    /// A named column is not there.
    #[error("no column {name:?}; the file has: {have}")]
    NoColumn {
        /// As asked for.
        name: String,
        /// All labels.
        have: String,
    },
    /// A Parquet file that cannot be read.
    #[error("Parquet: {0}")]
    Parquet(String),
    /// Stopped by the caller.
    #[error("stopped")]
    Cancelled,
}

/// File kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Delimited,
    JsonLines,
    Parquet,
}

fn kind_of(path: &Path) -> Kind {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "jsonl" | "ndjson" => Kind::JsonLines,
        "parquet" | "pq" => Kind::Parquet,
        _ => Kind::Delimited,
    }
}

/// Reads the people file at `path`. `progress` is told the bytes read so far and the file's size, and
/// answers whether to go on.
///
/// # Errors
/// [`ReadError`] says what, where and how to mend it.
pub fn read_people(
    path: &Path,
    options: &ReadOptions,
    progress: &(dyn Fn(u64, u64) -> bool + Sync),
) -> Result<People, ReadError> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let counted = Counted { inner: file, read: 0, size, progress };
    let mut people = match kind_of(path) {
        Kind::Delimited => {
            match read_delimited(counted, options, false) {
                // A quote inside an unquoted field: cutting the file at counted quotes went wrong.
                Err(ReadError::Text { .. }) => {
                    let file = File::open(path)?;
                    let counted = Counted { inner: file, read: 0, size, progress };
                    match read_delimited(counted, options, true) {
                        Err(ReadError::Text { byte, what, .. }) => {
                            return Err(ReadError::Text { line: line_of(path, byte)?, byte, what });
                        }
                        other => other?,
                    }
                }
                other => other?,
            }
        }
        Kind::JsonLines => jsonl::read(BufReader::with_capacity(1 << 20, counted), options)?,
        #[cfg(feature = "parquet")]
        Kind::Parquet => parquet::read(File::open(path)?, options, size, progress)?,
        #[cfg(not(feature = "parquet"))]
        Kind::Parquet => {
            return Err(ReadError::Parquet("this build has no Parquet reader".to_owned()));
        }
    };
    people.bytes = size;
    Ok(people)
}

/// The line of a byte; a parallel reader knows only the byte.
fn line_of(path: &Path, byte: u64) -> io::Result<u64> {
    let mut reader = File::open(path)?.take(byte);
    let mut buffer = vec![0; 1 << 16];
    let mut line = 1;
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            return Ok(line);
        }
        let read = buffer.get(..count).unwrap_or_default();
        line += memchr::memchr_iter(b'\n', read).count() as u64;
    }
}

/// The rows of a source once more, as text: a [`People`] keeps only what texts weigh.
pub trait RowSource {
    /// Calls `visit` with every row in the order in which it was read the first time, until that
    /// answers `false`.
    ///
    /// # Errors
    /// What the source says.
    fn each(&mut self, visit: &mut dyn FnMut(&[Option<&str>]) -> bool) -> Result<(), ReadError>;
}

/// A people file as a [`RowSource`].
#[derive(Clone, Debug)]
pub struct FileRows {
    /// Where it is.
    pub path: PathBuf,
    /// Empty texts are missing values, as [`read_people`] found.
    pub empty_is_null: bool,
}

impl FileRows {
    /// The file that `people` were read from.
    #[must_use]
    pub fn new(path: &Path, people: &People) -> Self {
        Self { path: path.to_owned(), empty_is_null: people.empty_is_null }
    }
}

impl RowSource for FileRows {
    fn each(&mut self, visit: &mut dyn FnMut(&[Option<&str>]) -> bool) -> Result<(), ReadError> {
        let file = File::open(&self.path)?;
        let empty_is_null = self.empty_is_null;
        let mut visit = |row: &[Option<&str>]| {
            if !empty_is_null {
                return visit(row);
            }
            let fields: Vec<Option<&str>> =
                row.iter().map(|field| field.filter(|text| !text.is_empty())).collect();
            visit(&fields)
        };
        match kind_of(&self.path) {
            Kind::Delimited => visit_rows(file, &mut visit),
            Kind::JsonLines => jsonl::visit(BufReader::new(file), &mut visit),
            #[cfg(feature = "parquet")]
            Kind::Parquet => parquet::visit(file, &mut visit),
            #[cfg(not(feature = "parquet"))]
            Kind::Parquet => Err(ReadError::Parquet("this build has no Parquet reader".to_owned())),
        }
    }
}

struct Counted<'a> {
    inner: File,
    read: u64,
    size: u64,
    progress: &'a (dyn Fn(u64, u64) -> bool + Sync),
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read += count as u64;
        if !(self.progress)(self.read, self.size) {
            return Err(io::Error::other("stopped"));
        }
        Ok(count)
    }
}
