//! A delimited file as blocks of whole records, parsed by several threads.
//!
//! One thread reads and cuts: a newline ends a record when an even number of quotes stands before
//! it. Counting quotes runs at memory speed; where a stray quote inside an unquoted field breaks the
//! count, the file is read again and cut by a full (slower) state machine.

use std::{
    io::Read,
    sync::{Arc, Mutex, mpsc},
};

use super::{ReadError, ReadOptions, delimited};
use crate::{
    moment::parse_moment,
    people::{ColumnKind, ColumnSpec, Intake, People, Segment, Tables, fold},
};

const BLOCK: usize = 4 << 20;
/// The largest record that is taken; a single bigger one is an unclosed quote, not a person.
const LARGEST: usize = 256 << 20;
/// Records looked at to tell dates from text.
const SAMPLE: usize = 2000;

/// The separator of a header line: of `,` `;` tab and `|` the commonest outside quotes.
#[must_use]
pub fn find_delimiter(header: &[u8]) -> u8 {
    let mut counts = [0_usize; 4];
    let mut quoted = false;
    for &byte in header {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            b',' if !quoted => counts[0] += 1,
            b';' if !quoted => counts[1] += 1,
            b'\t' if !quoted => counts[2] += 1,
            b'|' if !quoted => counts[3] += 1,
            _ => {}
        }
    }
    let best = (0..4).rev().max_by_key(|index| counts[*index]).unwrap_or(0);
    [b',', b';', b'\t', b'|'][best]
}

/// Reads blocks that end with a record.
struct Blocks<R> {
    reader: R,
    rest: Vec<u8>,
    offset: u64,
    done: bool,
    exact: bool,
    delimiter: u8,
}

struct Block {
    bytes: Vec<u8>,
    offset: u64,
    number: usize,
}

impl<R: Read> Blocks<R> {
    /// The next block; empty at the end. `block` is one that is done with: new memory would have to
    /// be cleared by the system first.
    fn next(&mut self, mut block: Vec<u8>) -> Result<(u64, Vec<u8>), ReadError> {
        block.clear();
        block.append(&mut self.rest);
        loop {
            if !self.done {
                block.reserve(BLOCK);
                let wanted = BLOCK.max(block.len()) as u64;
                let count = (&mut self.reader).take(wanted).read_to_end(&mut block);
                let count = count.map_err(|error| {
                    if error.to_string() == "stopped" { ReadError::Cancelled } else { error.into() }
                })?;
                self.done = (count as u64) < wanted;
            }
            let offset = self.offset;
            if self.done {
                self.offset += block.len() as u64;
                if !block.is_empty() && block.last() != Some(&b'\n') {
                    block.push(b'\n');
                }
                return Ok((offset, block));
            }
            let cut = if self.exact { cut_exactly(&block, self.delimiter) } else { cut(&block) };
            if cut > 0 {
                self.rest.extend_from_slice(block.get(cut..).unwrap_or_default());
                block.truncate(cut);
                self.offset += cut as u64;
                return Ok((offset, block));
            }
            if block.len() > LARGEST {
                return Err(ReadError::Text {
                    line: 0,
                    byte: offset,
                    what: "a record over 256 MiB starts here: a quote was opened and never closed"
                        .to_owned(),
                });
            }
        }
    }
}

/// After the last newline with an even number of quotes before it.
fn cut(block: &[u8]) -> usize {
    let mut open = memchr::memchr_iter(b'"', block).count() % 2 == 1;
    let mut end = block.len();
    while let Some(at) = memchr::memrchr(b'\n', &block[..end]) {
        open ^= memchr::memchr_iter(b'"', &block[at..end]).count() % 2 == 1;
        if !open {
            return at + 1;
        }
        end = at;
    }
    0
}

fn cut_exactly(block: &[u8], delimiter: u8) -> usize {
    let (mut quoted, mut start, mut cut) = (false, true, 0);
    for (index, &byte) in block.iter().enumerate() {
        if quoted {
            quoted = byte != b'"';
        } else if byte == b'"' && (start || index > 0 && block[index - 1] == b'"') {
            quoted = true;
        } else if byte == b'\n' {
            cut = index + 1;
        }
        start = !quoted && (byte == delimiter || byte == b'\n');
    }
    cut
}

/// Labels of a header record.
///
/// # Errors
/// [`ReadError::Header`] for empty, missing or doubled labels.
pub fn read_header(record: &[Option<&str>]) -> Result<Vec<ColumnSpec>, ReadError> {
    let mut columns: Vec<ColumnSpec> = Vec::with_capacity(record.len());
    for (index, label) in record.iter().enumerate() {
        let label = label.unwrap_or_default();
        if label.trim().is_empty() {
            let what = format!("column {} has no name; give every column one", index + 1);
            return Err(ReadError::Header(what));
        }
        if let Some(first) = columns.iter().position(|column| fold(&column.name) == fold(label)) {
            return Err(ReadError::Header(format!(
                "columns {} and {} are both called {label:?}; rename or remove one",
                first + 1,
                index + 1
            )));
        }
        columns.push(ColumnSpec::new(label));
    }
    Ok(columns)
}

struct Start {
    delimiter: u8,
    header_end: usize,
    columns: Vec<ColumnSpec>,
}

/// Looks at the first block: encoding, delimiter, labels.
fn start(block: &[u8]) -> Result<Start, ReadError> {
    if block.is_empty() {
        return Err(ReadError::Header(
            "the file is empty; its first line must name the columns".into(),
        ));
    }
    if block.starts_with(b"\xFF\xFE") || block.starts_with(b"\xFE\xFF") {
        return Err(ReadError::Text {
            line: 1,
            byte: 0,
            what: "the file is UTF-16; convert it: iconv -f UTF-16 -t UTF-8".to_owned(),
        });
    }
    let mark = if block.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let text = block.get(mark..).unwrap_or_default();
    let delimiter = find_delimiter(text);
    let mut columns = None;
    let header_end = delimited::each_record(text, delimiter, &mut |record| {
        columns = Some(read_header(record));
        false
    })
    .map_err(|fault| fault.at(mark as u64))?;
    let columns = columns.unwrap_or_else(|| read_header(&[None]))?;
    Ok(Start { delimiter, header_end: mark + header_end, columns })
}

/// Calls a column a timestamp when every sampled value is one.
fn find_timestamps(columns: &mut [ColumnSpec], text: &[u8], delimiter: u8) {
    let mut seen = vec![(0_usize, true); columns.len()];
    let mut rows = 0;
    // A fault here is found again, with its place, by the parser.
    let _ = delimited::each_record(text, delimiter, &mut |record| {
        for (field, (count, all)) in record.iter().zip(&mut seen) {
            if let Some(text) = field.filter(|text| !text.is_empty()) {
                *count += 1;
                *all &= parse_moment(text.as_bytes()).is_some();
            }
        }
        rows += 1;
        // Sparse columns need more rows than full ones to show a value.
        rows < SAMPLE || rows < SAMPLE * 10 && seen.iter().any(|(count, _)| *count == 0)
    });
    for (column, (count, all)) in columns.iter_mut().zip(seen) {
        if count > 0 && all {
            column.kind = ColumnKind::Timestamp;
        }
    }
}

/// Reads a delimited people file. `exact`: cut records by a full state machine.
///
/// # Errors
/// [`ReadError`].
pub fn read_delimited(
    reader: impl Read + Send,
    options: &ReadOptions,
    exact: bool,
) -> Result<People, ReadError> {
    let mut blocks =
        Blocks { reader, rest: Vec::new(), offset: 0, done: false, exact, delimiter: b',' };
    let (_, first) = blocks.next(Vec::new())?;
    let Start { delimiter, header_end, mut columns } = start(&first)?;
    blocks.delimiter = delimiter;
    let body = first.get(header_end..).unwrap_or_default().to_vec();
    find_timestamps(&mut columns, &body, delimiter);
    options.apply(&mut columns)?;

    let threads = options.threads().max(1);
    let (sender, receiver) = mpsc::sync_channel::<Block>(threads + 1);
    let receiver = Arc::new(Mutex::new(receiver));
    let (done_with, spare) = mpsc::channel::<Vec<u8>>();
    let failed: Mutex<Option<(u64, delimited::Fault)>> = Mutex::new(None);
    let mut segments: Vec<(usize, Segment)> = Vec::new();
    let mut tables: Vec<Tables> = Vec::new();
    let mut bytes = 0;
    let mut empties = delimited::Empties::default();
    let outcome: Result<(), ReadError> = std::thread::scope(|scope| {
        let columns = &columns;
        let failed = &failed;
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let receiver = Arc::clone(&receiver);
                let done_with = done_with.clone();
                scope.spawn(move || {
                    let mut intake = Intake::new(columns, options.sqlite_quoting);
                    let mut segments = Vec::new();
                    let mut empties = delimited::Empties::default();
                    loop {
                        let next = match receiver.lock() {
                            Ok(receiver) => receiver.recv(),
                            Err(_) => break,
                        };
                        let Ok(block) = next else { break };
                        if failed.lock().is_ok_and(|failed| failed.is_some()) {
                            continue;
                        }
                        let parsed = delimited::parse(
                            &block.bytes,
                            delimiter,
                            columns.len(),
                            &mut intake,
                            &mut empties,
                        );
                        match parsed {
                            Ok(rows) => {
                                segments.push((block.number, intake.end(rows, worker)));
                                // The reader may have read all by now.
                                let _ = done_with.send(block.bytes);
                            }
                            Err(fault) => {
                                if let Ok(mut failed) = failed.lock() {
                                    let earlier =
                                        failed.as_ref().is_some_and(|(at, _)| *at < block.offset);
                                    if !earlier {
                                        *failed = Some((block.offset, fault));
                                    }
                                }
                            }
                        }
                    }
                    (intake.tables, segments, empties)
                })
            })
            .collect();
        let mut number = 0;
        let mut outcome = Ok(());
        let _ = sender.send(Block { bytes: body, offset: header_end as u64, number });
        loop {
            match blocks.next(spare.try_recv().unwrap_or_default()) {
                Ok((_, block)) if block.is_empty() => break,
                Ok((offset, block)) => {
                    number += 1;
                    if failed.lock().is_ok_and(|failed| failed.is_some()) {
                        break;
                    }
                    let _ = sender.send(Block { bytes: block, offset, number });
                }
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        drop(sender);
        bytes = blocks.offset;
        for worker in workers {
            if let Ok((worker_tables, worker_segments, worker_empties)) = worker.join() {
                tables.push(worker_tables);
                segments.extend(worker_segments);
                empties.add(worker_empties);
            }
        }
        outcome
    });
    outcome?;
    if let Ok(Some((offset, fault))) = failed.into_inner() {
        return Err(fault.at(offset));
    }
    segments.sort_by_key(|(number, _)| *number);
    let segments = segments.into_iter().map(|(_, segment)| segment).collect();
    let null = empties.are_null();
    Ok(People::assemble(&columns, segments, tables, bytes, null))
}

/// Calls `visit` with every record after the header.
///
/// # Errors
/// [`ReadError`].
pub fn visit_rows(
    reader: impl Read,
    visit: &mut dyn FnMut(&[Option<&str>]) -> bool,
) -> Result<(), ReadError> {
    let mut blocks =
        Blocks { reader, rest: Vec::new(), offset: 0, done: false, exact: true, delimiter: b',' };
    let (_, mut block) = blocks.next(Vec::new())?;
    let Start { delimiter, header_end, columns, .. } = start(&block)?;
    blocks.delimiter = delimiter;
    let single = columns.len() == 1;
    let mut offset = header_end as u64;
    block.drain(..header_end);
    let mut more = true;
    while !block.is_empty() && more {
        delimited::each_record(&block, delimiter, &mut |record| {
            if record == [None] && !single {
                return true;
            }
            more = visit(record);
            more
        })
        .map_err(|fault| fault.at(offset))?;
        (offset, block) = blocks.next(block)?;
    }
    Ok(())
}
