//! Which filters are tried, and the sums of each.
//!
//! Conjunctions of up to three predicates would need every atom once per filter; instead the atoms
//! are projected onto two or three dimensions at a time, and each predicate folds one axis away.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{Progress, SearchError, SearchSpec};
use crate::{
    definition::{Op, Operand, Predicate},
    dimension::Dimension,
    discover::discover,
    pass::{Atoms, Layout, count_sampled, run},
    people::People,
};

/// Dimensions are added to the common pass while a sample of people shows at most so many atoms.
const SAMPLED_ATOMS: usize = 6_000;
const SAMPLE: usize = 40_000;
/// A projection may have at most so many numbers (64 MiB).
const LARGEST_TABLE: usize = 8 << 20;
/// Rows times extra passes that a search may spend on dimensions outside the common pass.
const EXTRA_ROWS: u64 = 16_000_000;

/// A filter that is tried.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub group: usize,
    /// Dimension of the group, choice of the dimension.
    pub choices: Vec<(usize, usize)>,
    pub rows: u64,
    /// Equal for the same people.
    pub print: u64,
    pub cost: f32,
    /// A known definition has this filter.
    pub known: Option<usize>,
    /// Report columns that are filled for at least one person.
    pub filled: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Filters {
    pub list: Vec<Filter>,
    sums: Vec<u64>,
    width: usize,
    by_people: FxHashMap<(u64, u64), usize>,
    limit: usize,
    /// Filters looked at, those left out for their row count or as doubles included.
    pub tried: u64,
    pub full: bool,
}

impl Filters {
    pub(crate) fn sums_of(&self, filter: usize, column: usize, bases: usize) -> &[u64] {
        let at = filter * self.width + column * bases;
        self.sums.get(at..at + bases).unwrap_or_default()
    }

    fn add(&mut self, mut filter: Filter, sums: &[u64], bases: usize) {
        if let Some(index) = self.by_people.get(&(filter.print, filter.rows)) {
            let have = &mut self.list[*index];
            self.tried += 1;
            if filter.cost < have.cost {
                (have.cost, have.group, have.choices) = (filter.cost, filter.group, filter.choices);
            }
            have.known = have.known.or(filter.known);
            return;
        }
        if self.list.len() >= self.limit && filter.known.is_none() {
            self.full = true;
            return;
        }
        self.tried += 1;
        for (column, sums) in sums.chunks(bases).enumerate() {
            if sums.get(1).is_some_and(|filled| *filled > 0) {
                filter.filled |= 1 << column;
            }
        }
        self.by_people.insert((filter.print, filter.rows), self.list.len());
        self.list.push(filter);
        self.sums.extend_from_slice(sums);
    }
}

/// Dimensions of one pass, and its atoms.
#[derive(Debug)]
pub(crate) struct Group {
    pub dimensions: Vec<usize>,
    pub atoms: Atoms,
}

/// Everything that is needed before a size is looked for.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub dimensions: Vec<Dimension>,
    pub groups: Vec<Group>,
    pub filters: Filters,
    pub predicates: usize,
    /// What was left out, in words.
    pub not_searched: Vec<String>,
}

impl Prepared {
    pub(crate) fn predicates_of(&self, filter: &Filter) -> Vec<Predicate> {
        let group = &self.groups[filter.group];
        let choice = |(dimension, choice): &(usize, usize)| {
            self.dimensions[group.dimensions[*dimension]].choices[*choice].predicate.clone()
        };
        filter.choices.iter().map(choice).collect()
    }

    pub(crate) fn group_dimensions(&self, group: usize) -> Vec<&Dimension> {
        self.groups[group].dimensions.iter().map(|index| &self.dimensions[*index]).collect()
    }

    pub(crate) fn new(
        people: &People,
        spec: &SearchSpec,
        layout: &Layout,
        fits: &dyn Fn(u64, &[u64]) -> bool,
        progress: &Progress<'_>,
    ) -> Result<Self, SearchError> {
        let (asked, found) = gather(people, spec)?;
        let mut not_searched = Vec::new();
        let mut dimensions: Vec<Dimension> = Vec::new();
        let mut core: Vec<usize> = Vec::new();
        let mut side: Vec<usize> = Vec::new();
        // Asked-for predicates come first and are always in the common pass.
        for (column, predicates) in asked {
            core.push(dimensions.len());
            dimensions.push(Dimension::new(people, column, predicates)?);
        }
        let mut candidates: Vec<Dimension> = Vec::new();
        for (column, predicates) in found.coarse {
            if let Ok(dimension) = Dimension::new(people, column, predicates) {
                candidates.push(dimension);
            }
        }
        // Attributes beside the report are made for filtering; dates and lists before blanks.
        candidates.sort_by_key(|dimension| {
            let column = &people.columns[dimension.column];
            let only_blank = dimension.choices.iter().all(|c| c.predicate.value == Operand::None);
            (only_blank, column.report, dimension.count)
        });
        for dimension in candidates {
            let index = dimensions.len();
            dimensions.push(dimension);
            core.push(index);
            let refs: Vec<&Dimension> = core.iter().map(|index| &dimensions[*index]).collect();
            if count_sampled(people, &refs, SAMPLE) > SAMPLED_ATOMS {
                core.pop();
                side.push(index);
            }
        }
        for (column, predicates) in found.fine {
            if let Ok(dimension) = Dimension::new(people, column, predicates) {
                side.push(dimensions.len());
                dimensions.push(dimension);
            }
        }
        let mut affordable = (EXTRA_ROWS / people.rows.max(1)) as usize;
        let mut group_dimensions = vec![core.clone()];
        for index in side {
            if affordable == 0 {
                let column = &people.columns[dimensions[index].column].name;
                let examples = dimensions[index].choices.len();
                not_searched.push(format!("{examples} predicates on {column} (too many people)"));
                continue;
            }
            affordable -= 1;
            let mut group = vec![index];
            for other in &core {
                if dimensions[*other].column == dimensions[index].column {
                    continue;
                }
                group.push(*other);
                let refs: Vec<&Dimension> = group.iter().map(|i| &dimensions[*i]).collect();
                if count_sampled(people, &refs, SAMPLE) > SAMPLED_ATOMS {
                    group.pop();
                }
            }
            group_dimensions.push(group);
        }
        let bases = layout.bases.len();
        let limit = (2_000_000 / spec.dialects.len()).clamp(1_000, 100_000);
        let filters = Filters { width: layout.width(), limit, ..Filters::default() };
        let predicates = dimensions.iter().map(|dimension| dimension.choices.len()).sum();
        let mut this = Self { dimensions, groups: Vec::new(), filters, predicates, not_searched };
        let count = group_dimensions.len();
        for (index, group) in group_dimensions.into_iter().enumerate() {
            let refs: Vec<&Dimension> = group.iter().map(|i| &this.dimensions[*i]).collect();
            let atoms = run(people, &refs, layout, spec.threads(), progress.stop)
                .ok_or(SearchError::Cancelled)?;
            this.groups.push(Group { dimensions: group, atoms });
            if index == 0 {
                this.add_known(people, spec, bases);
            }
            (progress.tell)(0.5 * (index + 1) as f64 / count as f64);
        }
        // Simple filters of all groups first: should the limit be reached, the odd ones are missing.
        for size in 0..=spec.max_predicates {
            for group in 0..this.groups.len() {
                this.enumerate(group, size, spec, bases, fits);
            }
        }
        if affordable > 0 && spec.discover {
            this.ranges(people, spec, layout, affordable, progress)?;
        } else if spec.discover {
            this.not_searched.push("free date ranges (too many people)".to_owned());
        }
        if this.filters.full {
            let limit = this.filters.limit;
            this.not_searched.push(format!("filters beyond the first {limit}"));
        }
        Ok(this)
    }

    /// Definitions that exist, whatever the number of their predicates.
    fn add_known(&mut self, people: &People, spec: &SearchSpec, bases: usize) {
        for (index, known) in spec.known.iter().enumerate() {
            let group = &self.groups[0];
            let mut choices = Vec::new();
            for predicate in &known.filter {
                let wanted = named(people, predicate);
                let at = group.dimensions.iter().enumerate().find_map(|(position, dimension)| {
                    let choices = &self.dimensions[*dimension].choices;
                    let choice = choices.iter().position(|c| Some(&c.predicate) == wanted.as_ref());
                    choice.map(|choice| (position, choice))
                });
                match at {
                    Some(at) => choices.push(at),
                    None => self.not_searched.push(format!("definition {:?}", known.name)),
                }
            }
            if choices.len() < known.filter.len() {
                continue;
            }
            let (mut rows, mut print) = (0, 0_u64);
            let mut sums = vec![0; self.filters.width];
            for atom in 0..group.atoms.len() {
                if self.holds(0, &choices, &group.atoms.classes[atom]) {
                    rows += group.atoms.rows[atom];
                    print = print.wrapping_add(group.atoms.prints[atom]);
                    for (into, from) in sums.iter_mut().zip(group.atoms.sums_of(atom)) {
                        *into += from;
                    }
                }
            }
            let cost = if known.logged { 0.0 } else { 0.25 };
            let filter =
                Filter { group: 0, choices, rows, print, cost, known: Some(index), filled: 0 };
            self.filters.add(filter, &sums, bases);
        }
    }

    /// Whether all `choices` hold for an atom with these `classes`.
    pub(crate) fn holds(&self, group: usize, choices: &[(usize, usize)], classes: &[u16]) -> bool {
        let dimensions = &self.groups[group].dimensions;
        choices.iter().all(|(dimension, choice)| {
            let choice = &self.dimensions[dimensions[*dimension]].choices[*choice];
            choice.classes.contains(&classes[*dimension])
        })
    }

    /// All conjunctions of exactly `size` predicates; in groups after the first only those with the
    /// group's own dimension, which stands first.
    fn enumerate(
        &mut self,
        group: usize,
        size: usize,
        spec: &SearchSpec,
        bases: usize,
        fits: &dyn Fn(u64, &[u64]) -> bool,
    ) {
        let mut found = Found { filters: std::mem::take(&mut self.filters), spec, bases, fits };
        let dimensions = self.group_dimensions(group);
        let atoms = &self.groups[group].atoms;
        let first = usize::from(group > 0);
        if size >= first {
            let mut subset = if group > 0 { vec![0] } else { Vec::new() };
            subsets(first, dimensions.len(), size - first, &mut subset, &mut |subset| {
                let cells: usize = subset.iter().map(|d| dimensions[*d].count).product();
                if cells.saturating_mul(atoms.width + 2) <= LARGEST_TABLE {
                    let table = project(atoms, subset, &dimensions);
                    found.fold(group, subset, &dimensions, &table, &mut Vec::new(), 0.0);
                }
            });
        }
        self.filters = found.filters;
    }

    /// Every range of days of every date column that holds as many people as a target has rows.
    /// Without a row count, millions of ranges would each have candidates by chance.
    fn ranges(
        &mut self,
        people: &People,
        spec: &SearchSpec,
        layout: &Layout,
        mut affordable: usize,
        progress: &Progress<'_>,
    ) -> Result<(), SearchError> {
        let bases = layout.bases.len();
        for (index, column) in people.columns.iter().enumerate() {
            if !column.moments || affordable == 0 {
                continue;
            }
            affordable -= 1;
            const DAY: i64 = 86_400_000_000;
            let (first, last) =
                (column.first_moment.div_euclid(DAY), column.last_moment.div_euclid(DAY));
            if last - first > 20_000 {
                continue;
            }
            let by_row = spec.targets().all(|target| target.rows.is_some());
            // Without a row count all pairs of days would be candidates; months are what is left.
            if !by_row {
                self.not_searched
                    .push(format!("free date ranges on {} (no row count)", column.name));
                continue;
            }
            let day = |day: i64| {
                let mut text = Vec::new();
                warifu_domain::dialect::write_timestamp(day * DAY, &mut text);
                text.truncate(10);
                String::from_utf8(text).unwrap_or_default()
            };
            let bounds = (first..=last + 1)
                .map(|d| (Predicate::one(&column.name, Op::From, day(d)), 4.0))
                .collect();
            let Ok(mut dimension) = Dimension::new(people, index, bounds) else { continue };
            let atoms = run(people, &[&dimension], layout, spec.threads(), progress.stop)
                .ok_or(SearchError::Cancelled)?;
            let mut by_class = vec![None; dimension.count];
            for (atom, classes) in atoms.classes.iter().enumerate() {
                by_class[usize::from(classes[0])] = Some(atom);
            }
            let rows = |class: usize| by_class[class].map_or(0, |atom| atoms.rows[atom]);
            dimension.choices.clear();
            let mut ranges = Vec::new();
            for target in spec.targets() {
                let wanted = target.rows.unwrap_or(0);
                let (mut end, mut sum) = (2, 0);
                // Class 2 is the first day; two pointers, since counts only grow.
                for start in 2..dimension.count {
                    while end < dimension.count && sum < wanted {
                        sum += rows(end);
                        end += 1;
                    }
                    if sum == wanted && wanted > 0 && rows(start) > 0 {
                        ranges.push((start, end));
                    }
                    sum = sum.saturating_sub(rows(start));
                }
            }
            let group = self.groups.len();
            let group_dimension = self.dimensions.len();
            for (start, end) in ranges {
                let (mut count, mut print) = (0, 0_u64);
                let mut sums = vec![0; self.filters.width];
                for atom in by_class[start..end].iter().flatten() {
                    count += atoms.rows[*atom];
                    print = print.wrapping_add(atoms.prints[*atom]);
                    for (into, from) in sums.iter_mut().zip(atoms.sums_of(*atom)) {
                        *into += from;
                    }
                }
                let from = first + start as i64 - 2;
                let value = Operand::Many(vec![day(from), day(first + end as i64 - 2)]);
                let predicate = Predicate { column: column.name.clone(), op: Op::Between, value };
                let choices = vec![(0, dimension.choices.len())];
                dimension.choices.push(crate::dimension::Choice {
                    predicate,
                    classes: (start as u16..end as u16).collect(),
                    cost: 4.0,
                });
                let filter = Filter {
                    group,
                    choices,
                    rows: count,
                    print,
                    cost: 4.0,
                    known: None,

                    filled: 0,
                };
                self.filters.add(filter, &sums, bases);
            }
            self.dimensions.push(dimension);
            self.groups.push(Group { dimensions: vec![group_dimension], atoms });
        }
        Ok(())
    }
}

struct Found<'a> {
    filters: Filters,
    spec: &'a SearchSpec,
    bases: usize,
    /// Whether any file of people with these sums can have a size that is looked for.
    fits: &'a dyn Fn(u64, &[u64]) -> bool,
}

impl Found<'_> {
    /// Folds the first axis of `table` by each choice of its dimension, and so on.
    fn fold(
        &mut self,
        group: usize,
        subset: &[usize],
        dimensions: &[&Dimension],
        table: &[u64],
        choices: &mut Vec<(usize, usize)>,
        cost: f32,
    ) {
        let Some((first, rest)) = subset.split_first() else {
            self.add(group, choices, table, cost);
            return;
        };
        let dimension = dimensions[*first];
        let size = table.len() / dimension.count.max(1);
        let mut folded = vec![0_u64; size];
        for (index, choice) in dimension.choices.iter().enumerate() {
            folded.fill(0);
            for class in &choice.classes {
                let from = &table[usize::from(*class) * size..][..size];
                for (into, from) in folded.iter_mut().zip(from) {
                    *into = into.wrapping_add(*from);
                }
            }
            choices.push((*first, index));
            self.fold(group, rest, dimensions, &folded, choices, cost + 1.0 + choice.cost);
            choices.pop();
        }
    }

    fn add(&mut self, group: usize, choices: &[(usize, usize)], cell: &[u64], cost: f32) {
        let [rows, print, sums @ ..] = cell else { return };
        if *rows == 0 {
            return;
        }
        let other_rows =
            self.spec.targets().all(|target| target.rows.is_some_and(|wanted| wanted != *rows));
        if other_rows || !(self.fits)(*rows, sums) {
            self.filters.tried += 1;
            return;
        }
        let (rows, print) = (*rows, *print);
        let choices = choices.to_vec();
        let filter = Filter { group, choices, rows, print, cost, known: None, filled: 0 };
        self.filters.add(filter, sums, self.bases);
    }
}

fn subsets(
    from: usize,
    until: usize,
    size: usize,
    subset: &mut Vec<usize>,
    visit: &mut dyn FnMut(&[usize]),
) {
    if size == 0 {
        visit(subset);
        return;
    }
    for next in from..until {
        subset.push(next);
        subsets(next + 1, until, size - 1, subset, visit);
        subset.pop();
    }
}

/// Sums per combination of classes of the dimensions in `subset`; the first varies slowest. A cell
/// is row count, print, sums.
fn project(atoms: &Atoms, subset: &[usize], dimensions: &[&Dimension]) -> Vec<u64> {
    let cell = atoms.width + 2;
    let cells: usize = subset.iter().map(|d| dimensions[*d].count).product();
    let mut table = vec![0_u64; cells * cell];
    for atom in 0..atoms.len() {
        let mut at = 0;
        for dimension in subset {
            at = at * dimensions[*dimension].count + usize::from(atoms.classes[atom][*dimension]);
        }
        let into = &mut table[at * cell..][..cell];
        into[0] += atoms.rows[atom];
        into[1] = into[1].wrapping_add(atoms.prints[atom]);
        for (into, from) in into[2..].iter_mut().zip(atoms.sums_of(atom)) {
            *into += from;
        }
    }
    table
}

/// `predicate` with the column's own label.
fn named(people: &People, predicate: &Predicate) -> Option<Predicate> {
    let column = people.column(&predicate.column)?;
    Some(Predicate { column: people.columns[column].name.clone(), ..predicate.clone() })
}

type PerColumn = BTreeMap<usize, Vec<(Predicate, f32)>>;

/// Predicates that were asked for, grouped by column with those found there; and the rest.
fn gather(
    people: &People,
    spec: &SearchSpec,
) -> Result<(PerColumn, crate::discover::Found), SearchError> {
    let mut asked = PerColumn::new();
    let mut found =
        if spec.discover { discover(people, spec.at) } else { crate::discover::Found::default() };
    let wanted = spec
        .known
        .iter()
        .flat_map(|known| known.filter.iter().map(|p| (p, 0.5)))
        .chain(spec.predicates.iter().map(|p| (p, 1.0)));
    for (predicate, cost) in wanted {
        let Some(named) = named(people, predicate) else {
            let have = people.column_names().collect::<Vec<_>>().join(", ");
            return Err(SearchError::NoColumn { name: predicate.column.clone(), have });
        };
        let Some(column) = people.column(&predicate.column) else { continue };
        let list = asked.entry(column).or_default();
        if !list.iter().any(|(have, _)| *have == named) {
            list.push((named, cost));
        }
    }
    for (column, list) in &mut asked {
        for (predicate, cost) in found.coarse.remove(column).unwrap_or_default() {
            if !list.iter().any(|(have, _)| *have == predicate) {
                list.push((predicate, cost));
            }
        }
    }
    if spec.window > 0
        && let Some(at) = spec.at
    {
        as_of(people, at, spec.window, &mut asked, &mut found.coarse);
    }
    Ok((asked, found))
}

/// "Created up to then", for each moment within the window at which somebody was created: a people
/// file shows only the latest state, so joining is the one event that it dates.
fn as_of(people: &People, at: i64, window: i64, asked: &mut PerColumn, coarse: &mut PerColumn) {
    const MOST: usize = 256;
    for (index, column) in people.columns.iter().enumerate() {
        if !column.moments || !crate::people::fold(&column.name).contains("created") {
            continue;
        }
        let within = at.saturating_sub(window)..=at.saturating_add(window);
        let mut moments: Vec<i64> = people
            .segments
            .iter()
            .flat_map(|segment| segment.columns[index].moments.iter().copied())
            .filter(|moment| within.contains(moment))
            .collect();
        moments.sort_unstable();
        moments.dedup();
        let list = match asked.get_mut(&index) {
            Some(list) => list,
            None => coarse.entry(index).or_default(),
        };
        for moment in moments.into_iter().take(MOST) {
            let mut text = Vec::new();
            let text_form = warifu_domain::dialect::Dialect {
                timestamps: warifu_domain::dialect::TimestampText::Iso8601Micros,
                ..Default::default()
            };
            warifu_domain::dialect::TimestampWriter::new(&text_form).write(moment + 1, &mut text);
            let text = String::from_utf8(text).unwrap_or_default();
            list.push((Predicate::one(&column.name, Op::Before, text), 0.5));
        }
    }
}
