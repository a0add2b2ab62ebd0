//! Measures `RowWriter`: `cargo run --release -p warifu-domain --example write_rows`.
//! Writes a million rows of 15 columns, once as full as a busy export and once mostly blank.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use warifu_domain::dialect::{Cell, Dialect, RowWriter};

fn main() {
    let labels: Vec<String> = (0..15).map(|n| format!("Column {n}")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    for full in [true, false] {
        for _ in 0..3 {
            let started = Instant::now();
            let mut writer = RowWriter::new(&Dialect::default(), &labels);
            let mut out = Vec::with_capacity(1 << 17);
            let mut bytes = 0;
            writer.header(&mut out);
            for row in 0..1_000_000_i64 {
                let micros = 1_695_913_560_000_000 - row * 7_000_000;
                let cells = (0..15).map(|column| match column {
                    2 => Cell::Text("Łukasz Kowalski"),
                    4 => Cell::Text("lukasz.kowalski@rimoto-an42.example"),
                    0 | 1 if full => Cell::Micros(micros),
                    5 if full && row % 40 == 0 => Cell::Text("Rimoto, Inc."),
                    3 | 5 | 6 | 9 | 13 if full => Cell::Text("Customer Standard"),
                    _ => Cell::Null,
                });
                writer.row_cells(cells, &mut out);
                if out.len() > 1 << 16 {
                    bytes += out.len();
                    out.clear();
                }
            }
            writer.finish(&mut out);
            bytes += out.len();
            let seconds = started.elapsed().as_secs_f64();
            println!("full={full} {bytes} bytes in {seconds:.3} s");
        }
    }
}
