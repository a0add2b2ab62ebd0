//! The one pass: people whom no predicate tells apart become an atom, with sums per column.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustc_hash::FxHashMap;
use warifu_domain::dialect::TimestampWriter;

use crate::{
    dialects::Basis,
    dimension::Dimension,
    people::{Cells, ColumnTables, People, Segment, Shapes},
    rows::Rows,
    shape::{EMPTY, LISTED, SPECIAL, Shape},
};

/// Packed per atom and column: filled cells above, bytes below. 2^22 rows of at most 4,094 bytes
/// cannot overflow either half.
const COUNT: u64 = 1 << 40;
const FLUSH_ROWS: usize = 1 << 22;
/// Products of classes up to here are looked up in an array instead of a hash map.
const DIRECT: u64 = 1 << 22;

/// What the pass sums.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Report columns.
    pub columns: Vec<usize>,
    /// Sums per column; `Bytes` and `Filled` are the first two.
    pub bases: Vec<Basis>,
}

impl Layout {
    pub(crate) fn width(&self) -> usize {
        self.columns.len() * self.bases.len()
    }
}

/// People whom the dimensions cannot tell apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Atoms {
    /// Class of every dimension.
    pub classes: Vec<Vec<u16>>,
    pub rows: Vec<u64>,
    /// Sum of a hash per person: equal sums mean the same people.
    pub prints: Vec<u64>,
    /// `width` sums per atom, column by column.
    pub sums: Vec<u64>,
    pub width: usize,
    /// The atom of every row, where there are few enough for two bytes each.
    places: Option<Places>,
}

/// Atoms per row as each worker numbered them.
#[derive(Clone, Debug, Default)]
struct Places {
    /// Per segment its worker and the numbers of its rows.
    segments: Vec<(usize, Vec<u16>)>,
    /// Per worker, its number → atom.
    atoms: Vec<Vec<u32>>,
}

impl Atoms {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn sums_of(&self, atom: usize) -> &[u64] {
        self.sums.get(atom * self.width..(atom + 1) * self.width).unwrap_or_default()
    }
}

/// Strides of the dimensions' classes in a row's key; `None` when they do not fit in 64 bits.
fn strides(dimensions: &[&Dimension]) -> Option<(Vec<u64>, u64)> {
    let mut stride = 1_u64;
    let mut strides = Vec::with_capacity(dimensions.len());
    for dimension in dimensions {
        strides.push(stride);
        stride = stride.checked_mul(dimension.count.max(1) as u64)?;
    }
    Some((strides, stride))
}

fn keys(
    people: &People,
    segment: &Segment,
    dimensions: &[&Dimension],
    strides: &[u64],
    out: &mut Vec<u64>,
) {
    out.clear();
    out.resize(segment.rows, 0);
    for (dimension, stride) in dimensions.iter().zip(strides) {
        dimension.add_keys(people, segment, *stride, out);
    }
}

/// Classes of some people in one dimension, the same people for every dimension.
pub(crate) type Sample = Vec<u16>;

/// Classes of about `size` people, taken from all over the table.
pub(crate) fn sample(people: &People, dimension: &Dimension, size: usize) -> Sample {
    let step = (people.rows as usize / size.max(1)).max(1);
    let segments = people.segments.len().max(1);
    let every = (segments / 4).max(1);
    let mut classes = Vec::with_capacity(size);
    let mut row_keys = Vec::new();
    for segment in people.segments.iter().step_by(every) {
        keys(people, segment, &[dimension], &[1], &mut row_keys);
        classes.extend(row_keys.iter().step_by((step / every).max(1)).map(|key| *key as u16));
    }
    classes
}

struct Worker<'a> {
    people: &'a People,
    layout: &'a Layout,
    ids: FxHashMap<u64, u32>,
    direct: Vec<u32>,
    keys: Vec<u64>,
    atoms: Atoms,
    packed: Vec<Vec<u64>>,
    unflushed: usize,
    writers: Vec<Option<TimestampWriter>>,
    /// Positions of bases other than the first two.
    others: Vec<(usize, Basis)>,
}

impl<'a> Worker<'a> {
    fn new(people: &'a People, layout: &'a Layout, product: u64) -> Self {
        let direct = if product <= DIRECT { vec![u32::MAX; product as usize] } else { Vec::new() };
        let writers = layout.bases.iter().map(|basis| match basis {
            Basis::Moments(dialect) => Some(TimestampWriter::new(dialect)),
            _ => None,
        });
        Self {
            people,
            layout,
            ids: FxHashMap::default(),
            direct,
            keys: Vec::new(),
            atoms: Atoms { width: layout.width(), ..Atoms::default() },
            packed: vec![Vec::new(); layout.columns.len()],
            unflushed: 0,
            writers: writers.collect(),
            others: layout.bases.iter().cloned().enumerate().skip(2).collect(),
        }
    }

    fn atom(&mut self, key: u64) -> u32 {
        let slot = if self.direct.is_empty() {
            self.ids.entry(key).or_insert(u32::MAX)
        } else if let Some(slot) = self.direct.get_mut(key as usize) {
            slot
        } else {
            return 0;
        };
        if *slot == u32::MAX {
            *slot = self.keys.len() as u32;
            self.keys.push(key);
            self.atoms.rows.push(0);
            self.atoms.prints.push(0);
        }
        *slot
    }

    fn segment(&mut self, segment: &Segment, keys: &[u64], first_row: u64, atoms: &mut Vec<u32>) {
        atoms.clear();
        let mut previous = (u64::MAX, 0);
        for key in keys {
            if *key != previous.0 {
                previous = (*key, self.atom(*key));
            }
            atoms.push(previous.1);
        }
        for (row, atom) in atoms.iter().enumerate() {
            let atom = *atom as usize;
            self.atoms.rows[atom] += 1;
            let print = print_of(first_row + row as u64);
            self.atoms.prints[atom] = self.atoms.prints[atom].wrapping_add(print);
        }
        self.cells(segment, atoms);
    }

    /// Adds the cells of a segment to the sums of its rows' atoms.
    fn cells(&mut self, segment: &Segment, atoms: &[u32]) {
        let count = self.keys.len();
        self.atoms.sums.resize(count * self.atoms.width, 0);
        self.unflushed += segment.rows;
        let people = self.people;
        for (position, column) in self.layout.columns.iter().enumerate() {
            let cells = &segment.columns[*column];
            let tables = &people.tables[segment.tables].columns[*column];
            self.packed[position].resize(count, 0);
            self.plain(position, cells, tables, atoms);
            if self.writers.iter().any(Option::is_some) && people.columns[*column].moments {
                self.moments(position, cells, atoms);
            }
        }
        if self.unflushed + segment.rows > FLUSH_ROWS {
            self.flush();
        }
    }

    fn plain(&mut self, position: usize, cells: &Cells, tables: &ColumnTables, atoms: &[u32]) {
        let mut packed = std::mem::take(&mut self.packed[position]);
        let mut listed = 0;
        match &cells.shapes {
            Shapes::Dense(shapes) => {
                for (shape, atom) in shapes.iter().zip(atoms) {
                    let slot = &mut packed[*atom as usize];
                    let length = shape.wrapping_sub(1);
                    // Null wraps to the top, an empty text is 0: one comparison finds the plain ones.
                    let plain = length.wrapping_sub(1) < SPECIAL - 2;
                    *slot += if plain { COUNT | u64::from(length) } else { 0 };
                    if !plain && *shape != 0 {
                        self.special(position, cells, tables, *shape, *atom, &mut listed);
                    }
                }
            }
            Shapes::Sparse(filled) => {
                for (row, shape) in filled {
                    let Some(atom) = atoms.get(*row as usize) else { continue };
                    if *shape != EMPTY && *shape < SPECIAL {
                        packed[*atom as usize] += COUNT | u64::from(*shape - 1);
                    } else {
                        self.special(position, cells, tables, *shape, *atom, &mut listed);
                    }
                }
            }
        }
        self.packed[position] = packed;
    }

    fn special(
        &mut self,
        position: usize,
        cells: &Cells,
        tables: &ColumnTables,
        id: u16,
        atom: u32,
        listed: &mut usize,
    ) {
        let shape = if id == LISTED {
            *listed += 1;
            cells.listed.get(*listed - 1).copied().unwrap_or_default()
        } else {
            tables.shapes.shape(id)
        };
        let bases = self.layout.bases.len();
        let at = atom as usize * self.atoms.width + position * bases;
        let Some(sums) = self.atoms.sums.get_mut(at..at + bases) else { return };
        sums[0] += u64::from(shape.bytes) + u64::from(shape.quotes);
        sums[1] += 1;
        for (index, basis) in &self.others {
            sums[*index] += extra(basis, shape);
        }
    }

    fn moments(&mut self, position: usize, cells: &Cells, atoms: &[u32]) {
        let bases = self.layout.bases.len();
        let mut text = Vec::with_capacity(40);
        for (index, writer) in self.writers.iter_mut().enumerate() {
            let Some(writer) = writer else { continue };
            cells.shapes.for_each(|nth, row, _| {
                let moment = cells.moments.get(nth).copied().unwrap_or(i64::MIN);
                let Some(atom) = atoms.get(row).filter(|_| moment != i64::MIN) else { return };
                text.clear();
                writer.write(moment, &mut text);
                let at = *atom as usize * self.atoms.width + position * bases + index;
                if let Some(sum) = self.atoms.sums.get_mut(at) {
                    *sum += text.len() as u64;
                }
            });
        }
    }

    fn flush(&mut self) {
        let bases = self.layout.bases.len();
        for (position, packed) in self.packed.iter_mut().enumerate() {
            for (atom, packed) in packed.iter_mut().enumerate() {
                let at = atom * self.atoms.width + position * bases;
                self.atoms.sums[at] += *packed & (COUNT - 1);
                self.atoms.sums[at + 1] += *packed >> 40;
                *packed = 0;
            }
        }
        self.unflushed = 0;
    }
}

fn extra(basis: &Basis, shape: Shape) -> u64 {
    let less = |other: u32| u64::from(shape.bytes.saturating_sub(other));
    match basis {
        Basis::Empty => u64::from(shape.bytes == 0),
        Basis::Needs(flags) => u64::from(shape.flags & flags != 0),
        Basis::LessUtf16 => less(shape.utf16),
        Basis::LessShiftJis => less(shape.shift_jis),
        Basis::LessSingle => less(shape.chars),
        Basis::Escapes => u64::from(shape.escapes),
        Basis::Bytes | Basis::Filled | Basis::Moments(_) => 0,
    }
}

/// What a row adds to the print of its atom: SplitMix64 of its number (Steele, Lea, Flood 2014).
#[inline]
pub(crate) fn print_of(row: u64) -> u64 {
    let mut z = row.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// First row of every segment.
pub(crate) fn first_rows(people: &People) -> Vec<u64> {
    let mut row = 0;
    people
        .segments
        .iter()
        .map(|segment| {
            let first = row;
            row += segment.rows as u64;
            first
        })
        .collect()
}

/// Sums over all people. `None` when stopped, or when the dimensions have more than 2^64 classes.
pub(crate) fn run(
    people: &People,
    dimensions: &[&Dimension],
    layout: &Layout,
    threads: usize,
    stop: &AtomicBool,
) -> Option<Atoms> {
    let (strides, product) = strides(dimensions)?;
    let next = AtomicUsize::new(0);
    let first = first_rows(people);
    let threads = threads.clamp(1, people.segments.len().max(1));
    let parts: Vec<Part> = std::thread::scope(|scope| {
        let (next, first, strides) = (&next, &first, &strides);
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || {
                    let mut worker = Worker::new(people, layout, product);
                    let (mut row_keys, mut atoms) = (Vec::new(), Vec::new());
                    let mut places = Vec::new();
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(segment) = people.segments.get(index) else { break };
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        keys(people, segment, dimensions, strides, &mut row_keys);
                        worker.segment(segment, &row_keys, first[index], &mut atoms);
                        if worker.keys.len() <= usize::from(u16::MAX) {
                            places.push((index, atoms.iter().map(|atom| *atom as u16).collect()));
                        }
                    }
                    worker.flush();
                    Part { keys: worker.keys, atoms: worker.atoms, places }
                })
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    });
    if stop.load(Ordering::Relaxed) || parts.len() != threads {
        return None;
    }
    Some(merge(parts, dimensions, &strides, layout.width(), people.segments.len()))
}

/// What one worker found.
struct Part {
    keys: Vec<u64>,
    atoms: Atoms,
    /// Segments, and the numbers of their rows' atoms.
    places: Vec<(usize, Vec<u16>)>,
}

/// How many of `rows` there are, and the sums over them. `None` when a thread failed.
pub(crate) fn sums_of(
    people: &People,
    rows: &Rows,
    layout: &Layout,
    threads: usize,
) -> Option<(u64, Vec<u64>)> {
    let next = AtomicUsize::new(0);
    let first = first_rows(people);
    let threads = threads.clamp(1, people.segments.len().max(1));
    let parts: Vec<Atoms> = std::thread::scope(|scope| {
        let (next, first) = (&next, &first);
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || {
                    let mut worker = Worker::new(people, layout, 2);
                    // The first atom is those left out, the second those picked.
                    worker.atom(0);
                    worker.atom(1);
                    let mut atoms = Vec::new();
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(segment) = people.segments.get(index) else { break };
                        let start = first[index] as usize;
                        atoms.clear();
                        atoms.extend(
                            (start..start + segment.rows).map(|r| u32::from(rows.contains(r))),
                        );
                        worker.cells(segment, &atoms);
                    }
                    worker.flush();
                    worker.atoms
                })
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    });
    if parts.len() != threads {
        return None;
    }
    let mut all = vec![0; layout.width()];
    for part in &parts {
        all.iter_mut().zip(part.sums_of(1)).for_each(|(all, sum)| *all += sum);
    }
    Some((rows.count(), all))
}

fn merge(
    parts: Vec<Part>,
    dimensions: &[&Dimension],
    strides: &[u64],
    width: usize,
    segments: usize,
) -> Atoms {
    let mut ids: FxHashMap<u64, usize> = FxHashMap::default();
    let mut all = Atoms { width, ..Atoms::default() };
    let mut places = Places { segments: vec![(0, Vec::new()); segments], atoms: Vec::new() };
    let mut placed = 0;
    for (number, Part { keys, atoms, places: part }) in parts.into_iter().enumerate() {
        placed += part.len();
        for (segment, rows) in part {
            places.segments[segment] = (number, rows);
        }
        let mut numbers = Vec::with_capacity(keys.len());
        for (local, key) in keys.iter().enumerate() {
            let id = *ids.entry(*key).or_insert_with(|| {
                all.rows.push(0);
                all.prints.push(0);
                all.sums.resize(all.sums.len() + width, 0);
                let class = |(dimension, stride): (&&Dimension, &u64)| {
                    (key / stride % dimension.count.max(1) as u64) as u16
                };
                all.classes.push(dimensions.iter().zip(strides).map(class).collect());
                all.rows.len() - 1
            });
            numbers.push(id as u32);
            all.rows[id] += atoms.rows[local];
            all.prints[id] = all.prints[id].wrapping_add(atoms.prints[local]);
            let into = &mut all.sums[id * width..(id + 1) * width];
            for (into, from) in into.iter_mut().zip(atoms.sums_of(local)) {
                *into += from;
            }
        }
        places.atoms.push(numbers);
    }
    all.places = (placed == segments).then_some(places);
    all
}

/// Per row of the whole table whether its atom is one of those `inside`.
pub(crate) fn members(
    people: &People,
    dimensions: &[&Dimension],
    atoms: &Atoms,
    inside: &[bool],
) -> Vec<bool> {
    let mut members = Vec::with_capacity(people.rows as usize);
    let is_in = |atom: &u32| inside.get(*atom as usize).copied().unwrap_or(false);
    if let Some(places) = &atoms.places {
        // Asked once per atom of a worker instead of once per row.
        let local: Vec<Vec<bool>> =
            places.atoms.iter().map(|numbers| numbers.iter().map(is_in).collect()).collect();
        for (worker, rows) in &places.segments {
            let local = local.get(*worker).map_or(&[][..], Vec::as_slice);
            let row_is_in = |row: &u16| local.get(usize::from(*row)).copied().unwrap_or(false);
            members.extend(rows.iter().map(row_is_in));
        }
        return members;
    }
    each_segment(people, dimensions, atoms, |_, atoms| members.extend(atoms.iter().map(is_in)));
    members
}

/// Calls `visit(first row, atom per row)` for every segment; an atom is an index in `atoms`.
pub(crate) fn each_segment(
    people: &People,
    dimensions: &[&Dimension],
    atoms: &Atoms,
    mut visit: impl FnMut(u64, &[u32]),
) {
    if let Some(places) = &atoms.places {
        let mut out = Vec::new();
        for ((worker, rows), first) in places.segments.iter().zip(first_rows(people)) {
            let Some(numbers) = places.atoms.get(*worker) else { continue };
            out.clear();
            out.extend(rows.iter().map(|row| numbers.get(usize::from(*row)).copied().unwrap_or(0)));
            visit(first, &out);
        }
        return;
    }
    let Some((strides, product)) = strides(dimensions) else { return };
    let key_of = |classes: &[u16]| -> u64 {
        classes.iter().zip(&strides).map(|(class, stride)| u64::from(*class) * stride).sum()
    };
    let mut direct = if product <= DIRECT { vec![u32::MAX; product as usize] } else { Vec::new() };
    let mut ids: FxHashMap<u64, u32> = FxHashMap::default();
    for (id, classes) in atoms.classes.iter().enumerate() {
        let key = key_of(classes);
        match direct.get_mut(key as usize) {
            Some(slot) => *slot = id as u32,
            None => {
                ids.insert(key, id as u32);
            }
        }
    }
    let (mut row_keys, mut out) = (Vec::new(), Vec::new());
    for (segment, first) in people.segments.iter().zip(first_rows(people)) {
        keys(people, segment, dimensions, &strides, &mut row_keys);
        out.clear();
        if direct.is_empty() {
            out.extend(row_keys.iter().map(|key| ids.get(key).copied().unwrap_or(u32::MAX)));
        } else {
            out.extend(
                row_keys.iter().map(|key| direct.get(*key as usize).copied().unwrap_or(u32::MAX)),
            );
        }
        visit(first, &out);
    }
}
