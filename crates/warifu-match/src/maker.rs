//! One report file, row by row, in any of the formats.

use std::io::{self, Write};

use warifu_domain::dialect::{Cell, RowWriter};

use crate::{
    dialects::{Candidate, FileFormat},
    json_lines::JsonLines,
    moment::parse_moment,
    people::People,
    verify::VerifyError,
};

/// Bytes collected before they are handed on.
const PIECE: usize = 1 << 16;

/// Collects, hands on and counts what is written.
pub(crate) struct Counter<W: Write> {
    pub buffer: Vec<u8>,
    out: W,
    bytes: u64,
}

impl<W: Write> Counter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { buffer: Vec::with_capacity(2 * PIECE), out, bytes: 0 }
    }

    fn flush_if(&mut self, least: usize) -> io::Result<()> {
        if self.buffer.len() >= least.max(1) {
            self.out.write_all(&self.buffer)?;
            self.bytes += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Everything is written; answers how much it was.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.flush_if(1)?;
        self.out.flush()?;
        Ok(self.bytes)
    }

    /// As [`finish`](Self::finish), and hands the writer back.
    pub(crate) fn into_inner(mut self) -> io::Result<W> {
        self.flush_if(1)?;
        Ok(self.out)
    }
}

enum Kind {
    Csv(Box<RowWriter>, Vec<bool>),
    JsonLines(JsonLines),
    #[cfg(feature = "xlsx")]
    Xlsx(Box<xlsx::Book>),
}

/// Writes the columns `columns` of a people file's rows.
pub(crate) struct Maker {
    kind: Kind,
    columns: Vec<usize>,
    labels: Vec<String>,
}

impl Maker {
    /// `xlsx`: make a workbook, as this version of Warifu does.
    pub(crate) fn new(
        people: &People,
        columns: &[usize],
        candidate: &Candidate,
        xlsx: bool,
    ) -> Result<Self, VerifyError> {
        let name = |column: &usize| people.columns[*column].name.clone();
        let labels: Vec<String> = columns.iter().map(name).collect();
        let kind = match (xlsx, &candidate.format) {
            #[cfg(feature = "xlsx")]
            (true, _) => Kind::Xlsx(Box::new(xlsx::Book::new(&labels)?)),
            #[cfg(not(feature = "xlsx"))]
            (true, _) => {
                return Err(VerifyError::Xlsx("this build has no XLSX exporter".to_owned()));
            }
            (false, FileFormat::JsonLines(json)) => Kind::JsonLines(json.clone()),
            (false, _) => {
                let convert = candidate.convert_timestamps;
                let moments = columns.iter().map(|c| convert && people.columns[*c].moments);
                let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                let writer = RowWriter::new(&candidate.dialect, &labels);
                Kind::Csv(Box::new(writer), moments.collect())
            }
        };
        Ok(Self { kind, columns: columns.to_vec(), labels })
    }

    pub(crate) fn header<W: Write>(&mut self, out: &mut Counter<W>) -> Result<(), VerifyError> {
        if let Kind::Csv(writer, _) = &mut self.kind {
            writer.header(&mut out.buffer);
        }
        Ok(())
    }

    /// `fields` are all fields of the people file's row.
    pub(crate) fn row<W: Write>(
        &mut self,
        fields: &[Option<&str>],
        out: &mut Counter<W>,
    ) -> Result<(), VerifyError> {
        let cells = self.columns.iter().map(|column| fields.get(*column).copied().flatten());
        match &mut self.kind {
            Kind::Csv(writer, moments) => {
                let cells = cells.zip(moments.iter()).map(|(field, moment)| {
                    match field.filter(|_| *moment).and_then(|t| parse_moment(t.as_bytes())) {
                        Some(micros) => Cell::Micros(micros),
                        None => Cell::from(field),
                    }
                });
                writer.row_cells(cells, &mut out.buffer);
            }
            Kind::JsonLines(json) => {
                let labels = self.labels.iter().map(String::as_str);
                json.row(labels.zip(cells), &mut out.buffer);
            }
            #[cfg(feature = "xlsx")]
            Kind::Xlsx(book) => book.row(cells)?,
        }
        Ok(out.flush_if(PIECE)?)
    }

    pub(crate) fn finish<W: Write>(self, out: &mut Counter<W>) -> Result<(), VerifyError> {
        match self.kind {
            Kind::Csv(mut writer, _) => writer.finish(&mut out.buffer),
            Kind::JsonLines(_) => {}
            #[cfg(feature = "xlsx")]
            Kind::Xlsx(book) => book.finish(&mut out.buffer)?,
        }
        Ok(out.flush_if(PIECE)?)
    }
}

/// The same calls as Warifu's own XLSX export makes, which a test compares byte for byte.
#[cfg(feature = "xlsx")]
mod xlsx {
    use std::io::Cursor;

    use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};

    use crate::verify::VerifyError;

    impl From<XlsxError> for VerifyError {
        fn from(error: XlsxError) -> Self {
            Self::Xlsx(error.to_string())
        }
    }

    pub(super) struct Book {
        book: Workbook,
        sheet: Worksheet,
        row: u32,
    }

    impl Book {
        pub(super) fn new(labels: &[String]) -> Result<Self, XlsxError> {
            let mut book = Workbook::new();
            let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
            book.set_properties(&DocProperties::new().set_creation_datetime(&made));
            let mut sheet = book.new_worksheet_with_constant_memory()?;
            sheet.set_name("Report")?;
            for (column, label) in (0..).zip(labels) {
                sheet.write(0, column, label.as_str())?;
            }
            Ok(Self { book, sheet, row: 0 })
        }

        pub(super) fn row<'a>(
            &mut self,
            cells: impl Iterator<Item = Option<&'a str>>,
        ) -> Result<(), XlsxError> {
            self.row += 1;
            for (column, cell) in (0..).zip(cells) {
                if let Some(text) = cell {
                    self.sheet.write_string(self.row, column, text)?;
                }
            }
            Ok(())
        }

        pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), XlsxError> {
            self.book.push_worksheet(self.sheet);
            let mut file = Cursor::new(Vec::new());
            self.book.save_to_writer(&mut file)?;
            out.append(&mut file.into_inner());
            Ok(())
        }
    }
}
