//! What comes nearest when nothing gives a size.

use std::sync::atomic::AtomicBool;

use crate::{
    answer::Candidate,
    people::People,
    search::{Progress, SearchSpec, search},
    target::Tolerance,
};

/// How far the search goes on either side, as a part of the size; the first that finds something ends
/// it.
const SHARES: [f64; 6] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.2];
/// Candidates among which the nearest is taken.
const AMONG: usize = 200;

/// A definition whose file has nearly the recorded size, with the recorded rows before any other.
pub(super) fn nearest(people: &People, spec: &SearchSpec) -> Option<Candidate> {
    let recorded = &spec.target;
    let mut wider = SearchSpec { also: Vec::new(), top: AMONG, ..spec.clone() };
    let stop = AtomicBool::new(false);
    let rows = [recorded.rows, None];
    for rows in rows.iter().take(if recorded.rows.is_some() { 2 } else { 1 }) {
        wider.target.rows = *rows;
        for share in SHARES {
            let bytes = (recorded.bytes as f64 * share).ceil() as u64;
            if rows.is_some() == recorded.rows.is_some()
                && bytes <= recorded.tolerance.bytes(recorded.bytes)
            {
                continue;
            }
            wider.target.tolerance = Tolerance::Bytes(bytes);
            let found = search(people, &wider, &Progress { tell: &|_| (), stop: &stop }).ok()?;
            let found = found.candidates.into_iter().min_by_key(|c| c.difference.unsigned_abs());
            if found.is_some() {
                return found;
            }
        }
    }
    None
}
