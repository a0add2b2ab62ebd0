//! Which filters are tried, and the sums of each.
//!
//! Conjunctions of up to three predicates would need every atom once per filter; instead the atoms
//! are projected onto two or three dimensions at a time, and each predicate folds one axis away.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Progress, SearchError, SearchSpec, groups::Planner, ranges::Sizes};
use crate::{
    definition::{Op, Operand, Predicate},
    dimension::Dimension,
    discover::discover,
    pass::{Atoms, print_of, run},
    people::People,
    shape::EMPTY,
};

/// A projection may have at most so many numbers (64 MiB).
const LARGEST_TABLE: usize = 8 << 20;

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
    /// Known definitions with this filter.
    pub known: Vec<usize>,
    /// Report columns that are filled for at least one person.
    pub filled: u64,
    /// The state of the data that it is made of.
    pub state: usize,
    /// A definition whose file was written, with its people.
    pub written: Option<usize>,
}

impl Filter {
    /// A filter of nobody yet.
    pub(crate) fn of(group: usize, state: usize, cost: f32) -> Self {
        Self {
            group,
            choices: Vec::new(),
            rows: 0,
            print: 0,
            cost,
            known: Vec::new(),
            filled: 0,
            state,
            written: None,
        }
    }
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

    pub(crate) fn add(&mut self, mut filter: Filter, sums: &[u64], bases: usize) {
        if let Some(index) = self.by_people.get(&(filter.print, filter.rows)) {
            let have = &mut self.list[*index];
            self.tried += 1;
            if filter.cost < have.cost {
                (have.cost, have.group, have.choices) = (filter.cost, filter.group, filter.choices);
                have.state = filter.state;
            }
            have.known.extend(filter.known);
            return;
        }
        if self.list.len() >= self.limit && filter.known.is_empty() {
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
    /// The dimension of the states, which is in every group, and first but in those of ranges.
    pub state: Option<usize>,
}

impl Prepared {
    pub(crate) fn predicates_of(&self, filter: &Filter) -> Vec<Predicate> {
        let group = &self.groups[filter.group];
        let of_state =
            |(dimension, _): &&(usize, usize)| Some(group.dimensions[*dimension]) != self.state;
        let choice = |(dimension, choice): &(usize, usize)| {
            self.dimensions[group.dimensions[*dimension]].choices[*choice].predicate.clone()
        };
        filter.choices.iter().filter(of_state).map(choice).collect()
    }

    /// How many of the people there are in the likeliest state.
    pub(crate) fn people_in_state(&self, rows: u64) -> u64 {
        let Some(state) = self.state else { return rows };
        let (Some(group), Some(choice)) =
            (self.groups.first(), self.dimensions[state].choices.first())
        else {
            return rows;
        };
        let classes = group.atoms.classes.iter().zip(&group.atoms.rows);
        classes.filter(|(classes, _)| choice.holds(classes[0])).map(|(_, rows)| rows).sum()
    }

    fn states(&self) -> usize {
        self.state.map_or(1, |state| self.dimensions[state].choices.len())
    }

    pub(crate) fn group_dimensions(&self, group: usize) -> Vec<&Dimension> {
        self.groups[group].dimensions.iter().map(|index| &self.dimensions[*index]).collect()
    }

    pub(super) fn new(
        people: &People,
        sizes: &Sizes<'_>,
        fits: &dyn Fn(u64, &[u64]) -> bool,
        progress: &Progress<'_>,
    ) -> Result<Self, SearchError> {
        let (spec, layout) = (sizes.spec, sizes.layout);
        let (asked, found) = gather(people, spec)?;
        let mut not_searched: Vec<String> = Vec::new();
        let mut dimensions: Vec<Dimension> = Vec::new();
        let mut core: Vec<usize> = Vec::new();
        let mut side: Vec<usize> = Vec::new();
        let state = spec.states.as_ref().map(|states| states.dimension(people)).transpose()?;
        let fixed = usize::from(state.is_some());
        if let Some(dimension) = state {
            core.push(dimensions.len());
            dimensions.push(dimension);
        }
        // Asked-for predicates come next and are always in the common pass.
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
        let mut planner = Planner::new(people, fixed > 0);
        for dimension in candidates {
            let index = dimensions.len();
            dimensions.push(dimension);
            if planner.fits(&dimensions, &core, index) {
                core.push(index);
            } else {
                side.push(index);
            }
        }
        for (column, predicates) in found.fine {
            if let Ok(dimension) = Dimension::new(people, column, predicates) {
                side.push(dimensions.len());
                dimensions.push(dimension);
            }
        }
        let (group_dimensions, missing) =
            planner.groups(&dimensions, core, &side, spec.max_predicates);
        if let Some(example) = missing.first() {
            let names = example.iter().map(|d| people.columns[dimensions[*d].column].name.as_str());
            not_searched.push(format!(
                "predicates on {} combinations of columns, such as {} (too many people)",
                missing.len(),
                names.collect::<Vec<_>>().join(" with ")
            ));
        }
        let bases = layout.bases.len();
        let limit = (2_000_000 / spec.dialects.len()).clamp(1_000, 100_000);
        let filters = Filters { width: layout.width(), limit, ..Filters::default() };
        let predicates = dimensions[fixed..].iter().map(|dimension| dimension.choices.len()).sum();
        let state = (fixed > 0).then_some(0);
        let groups = Vec::new();
        let mut this = Self { dimensions, groups, filters, predicates, not_searched, state };
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
        let mut done: FxHashSet<Vec<usize>> = FxHashSet::default();
        let mut large = 0;
        for size in 0..=spec.max_predicates {
            for group in 0..this.groups.len() {
                large += this.enumerate(group, size, spec, bases, fits, &mut done);
            }
        }
        if large > 0 {
            this.not_searched.push(format!("{large} combinations of columns with too many values"));
        }
        if spec.discover && spec.max_predicates > 0 {
            this.ranges(people, sizes, progress)?;
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
            if known.must_be_written() {
                continue;
            }
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
            let cost = if known.logged { 0.0 } else { 0.25 };
            for state in 0..self.states() {
                let group = &self.groups[0];
                let mut filter = Filter::of(0, state, cost + self.state_cost(state));
                filter.choices.clone_from(&choices);
                if self.state.is_some() {
                    filter.choices.push((0, state));
                }
                filter.known.push(index);
                let mut sums = vec![0; self.filters.width];
                for atom in 0..group.atoms.len() {
                    if self.holds(0, &filter.choices, &group.atoms.classes[atom]) {
                        filter.rows += group.atoms.rows[atom];
                        filter.print = filter.print.wrapping_add(group.atoms.prints[atom]);
                        for (into, from) in sums.iter_mut().zip(group.atoms.sums_of(atom)) {
                            *into += from;
                        }
                    }
                }
                self.filters.add(filter, &sums, bases);
            }
        }
    }

    /// Definitions whose file was written. They are beside all others: the same people with another
    /// size are no double.
    pub(crate) fn add_written(&mut self, people: &People, spec: &SearchSpec, columns: &[usize]) {
        for (index, written) in spec.written.iter().enumerate() {
            let Some(known) = spec.known.get(written.known) else { continue };
            let cost = if known.logged { 0.0 } else { 0.25 };
            let mut filter = Filter::of(0, written.state, cost + self.state_cost(written.state));
            filter.rows = written.rows.len() as u64;
            filter.print =
                written.rows.iter().fold(0, |all, row| print_of(u64::from(*row)).wrapping_add(all));
            filter.filled = filled_columns(people, &written.rows, columns);
            filter.known.push(written.known);
            filter.written = Some(index);
            self.filters.list.push(filter);
            let width = self.filters.width;
            self.filters.sums.resize(self.filters.sums.len() + width, 0);
            self.filters.tried += 1;
        }
    }

    pub(super) fn state_cost(&self, state: usize) -> f32 {
        // A choice's cost leaves out the one that each predicate has.
        self.state.map_or(0.0, |at| self.dimensions[at].choices[state].cost + 1.0)
    }

    /// Whether all `choices` hold for an atom with these `classes`.
    pub(crate) fn holds(&self, group: usize, choices: &[(usize, usize)], classes: &[u16]) -> bool {
        let dimensions = &self.groups[group].dimensions;
        choices.iter().all(|(dimension, choice)| {
            let choice = &self.dimensions[dimensions[*dimension]].choices[*choice];
            choice.holds(classes[*dimension])
        })
    }

    /// All conjunctions of exactly `size` predicates whose dimensions are not `done` yet; answers how
    /// many combinations of dimensions are too large.
    fn enumerate(
        &mut self,
        group: usize,
        size: usize,
        spec: &SearchSpec,
        bases: usize,
        fits: &dyn Fn(u64, &[u64]) -> bool,
        done: &mut FxHashSet<Vec<usize>>,
    ) -> usize {
        let mut found = Found {
            filters: std::mem::take(&mut self.filters),
            spec,
            bases,
            fits,
            has_states: self.state.is_some(),
        };
        let of = &self.groups[group].dimensions;
        let dimensions = self.group_dimensions(group);
        let atoms = &self.groups[group].atoms;
        // The state is no predicate, and every filter is of one.
        let first = usize::from(self.state.is_some());
        let mut subset: Vec<usize> = (0..first).collect();
        let mut large = 0;
        subsets(first, dimensions.len(), size, &mut subset, &mut |subset| {
            let mut these: Vec<usize> = subset.iter().map(|at| of[*at]).collect();
            these.sort_unstable();
            if !done.insert(these) {
                return;
            }
            let cells: usize = subset.iter().map(|d| dimensions[*d].count).product();
            if cells.saturating_mul(atoms.width + 2) <= LARGEST_TABLE {
                let table = project(atoms, subset, &dimensions);
                found.fold(group, subset, &dimensions, &table, &mut Vec::new(), 0.0);
            } else {
                large += 1;
            }
        });
        self.filters = found.filters;
        large
    }
}

struct Found<'a> {
    filters: Filters,
    spec: &'a SearchSpec,
    bases: usize,
    /// Whether any file of people with these sums can have a size that is looked for.
    fits: &'a dyn Fn(u64, &[u64]) -> bool,
    /// The first choice of every filter is its state.
    has_states: bool,
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
        let state = choices.first().filter(|_| self.has_states).map_or(0, |choice| choice.1);
        let filter = Filter { choices, rows, print, ..Filter::of(group, state, cost) };
        self.filters.add(filter, sums, self.bases);
    }
}

/// Calls `visit` with every set of `size` numbers from `from` until before `until`, added to `subset`.
pub(super) fn subsets(
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

/// The report columns (as bits) that somebody among `rows` has filled.
fn filled_columns(people: &People, rows: &[u32], columns: &[usize]) -> u64 {
    let mut filled = 0;
    let mut first = 0;
    for segment in &people.segments {
        let from = rows.partition_point(|row| (*row as usize) < first);
        let until = rows.partition_point(|row| (*row as usize) < first + segment.rows);
        let mut members = vec![false; segment.rows];
        for row in rows.get(from..until).unwrap_or_default() {
            members[*row as usize - first] = true;
        }
        for (position, column) in columns.iter().enumerate() {
            segment.columns[*column].shapes.for_each(|_, row, shape| {
                if shape != EMPTY && members[row] {
                    filled |= 1 << position;
                }
            });
        }
        first += segment.rows;
    }
    filled
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
        .filter(|known| !known.must_be_written())
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
    // The states are no predicates.
    if let Some(column) = spec.states.as_ref().and_then(|states| people.column(&states.column)) {
        found.coarse.remove(&column);
        found.fine.remove(&column);
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
