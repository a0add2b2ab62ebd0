//! Which people are in every candidate, in some, in none.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    pass::each_segment,
    search::{Job, Prepared, SearchError},
    verdict::Verdict,
};

/// In every candidate; in some.
const EVERY: u8 = 1;
const SOME: u8 = 2;
/// Another row of the same person stands for it.
pub(crate) const SKIPPED: u8 = 4;

/// Per row: bit 0 in every candidate, bit 1 in some; or [`SKIPPED`].
pub(crate) fn membership(
    job: &Job<'_>,
    prepared: &Prepared,
    verdict: &Verdict,
    stop: &AtomicBool,
) -> Result<Vec<u8>, SearchError> {
    let mut people = vec![EVERY; job.people.rows as usize];
    let groups = job.spec.states.as_ref().map_or(&[][..], |states| &states.versions);
    let mut persons = vec![EVERY; groups.len()];
    let filters = || job.filters.list.iter().enumerate().filter(|(f, _)| verdict.filters[*f] > 0);
    for (index, group) in prepared.groups.iter().enumerate() {
        // Atoms still in every filter, and atoms not yet in any: both lists only shrink.
        let mut every: Vec<usize> = (0..group.atoms.len()).collect();
        let mut none: Vec<usize> = every.clone();
        let mine = || filters().filter(|(_, f)| f.group == index && f.written.is_none());
        let mut hits = 0;
        for (_, meta) in mine() {
            if stop.load(Ordering::Relaxed) {
                return Err(SearchError::Cancelled);
            }
            hits += 1;
            let holds =
                |atom: &usize| prepared.holds(index, &meta.choices, &group.atoms.classes[*atom]);
            every.retain(holds);
            none.retain(|atom| !holds(atom));
        }
        if hits == 0 {
            continue;
        }
        let mut state = vec![SOME; group.atoms.len()];
        none.iter().for_each(|atom| state[*atom] = 0);
        every.iter().for_each(|atom| state[*atom] = EVERY | SOME);
        if every.len() == group.atoms.len() {
            // Everybody is in all of them, e.g. because there is no filter.
            people.iter_mut().for_each(|person| *person |= SOME);
            persons.iter_mut().for_each(|person| *person |= SOME);
            continue;
        }
        let dimensions = prepared.group_dimensions(index);
        let mut atoms_of: Vec<Vec<u32>> = groups.iter().map(|rows| vec![0; rows.len()]).collect();
        each_segment(job.people, &dimensions, &group.atoms, |first, atoms| {
            let rows = people.iter_mut().skip(first as usize);
            for (person, atom) in rows.zip(atoms) {
                let state = state.get(*atom as usize).copied().unwrap_or(0);
                *person = (*person & state & EVERY) | ((*person | state) & SOME);
            }
            for (rows, of) in groups.iter().zip(&mut atoms_of) {
                for (row, of) in rows.iter().zip(of) {
                    let at = u64::from(*row).checked_sub(first).map(|at| at as usize);
                    *of = at.and_then(|at| atoms.get(at)).copied().unwrap_or(*of);
                }
            }
        });
        // A person with several versions is in a candidate when one of them is.
        for (atoms, person) in atoms_of.iter().zip(&mut persons) {
            for (_, meta) in mine() {
                let holds = |atom: &u32| {
                    let classes = group.atoms.classes.get(*atom as usize);
                    classes.is_some_and(|c| prepared.holds(index, &meta.choices, c))
                };
                *person = joined(*person, atoms.iter().any(holds));
            }
        }
    }
    for (_, meta) in filters() {
        let Some(written) = meta.written.and_then(|at| job.spec.written.get(at)) else { continue };
        let mut rows = written.rows.iter().peekable();
        for (row, person) in (0_u32..).zip(&mut people) {
            let member = rows.next_if(|next| **next == row).is_some();
            *person = joined(*person, member);
        }
        for (rows, person) in groups.iter().zip(&mut persons) {
            let member = rows.iter().any(|row| written.rows.binary_search(row).is_ok());
            *person = joined(*person, member);
        }
    }
    for (rows, person) in groups.iter().zip(persons) {
        for (nth, row) in rows.iter().enumerate() {
            if let Some(slot) = people.get_mut(*row as usize) {
                *slot = if nth == 0 { person } else { SKIPPED };
            }
        }
    }
    Ok(people)
}

fn joined(person: u8, member: bool) -> u8 {
    if member { person | SOME } else { person & SOME }
}
