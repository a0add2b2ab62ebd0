//! States of the data that a time known only roughly may mean.
//!
//! The people are then a table of *versions*: a row for each person that did not change within the
//! window, several for one that did. Every filter is of one state; where no version that it asks
//! about changed, its people are the same rows, so that it is solved once for all states.

use super::SearchError;
use crate::{
    definition::{Op, Operand, Predicate},
    dimension::Dimension,
    people::People,
};

/// One state of the data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Values of the column of [`States`] whose rows hold in it.
    pub values: Vec<String>,
    /// How unlikely, in powers of two; 0 for the state at the recorded time.
    pub cost: f32,
}

/// All states that are searched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct States {
    /// The column that says when a row holds. Every row has a value in it.
    pub column: String,
    /// The likeliest first; at least one.
    pub list: Vec<State>,
    /// Rows of the same person, for every person with a row that does not hold always.
    pub versions: Vec<Vec<u32>>,
}

impl States {
    pub(crate) fn predicate(&self, state: usize) -> Option<Predicate> {
        let values = self.list.get(state)?.values.clone();
        Some(Predicate { column: self.column.clone(), op: Op::In, value: Operand::Many(values) })
    }

    pub(crate) fn dimension(&self, people: &People) -> Result<Dimension, SearchError> {
        let column = people.column(&self.column).ok_or_else(|| SearchError::NoColumn {
            name: self.column.clone(),
            have: people.column_names().collect::<Vec<_>>().join(", "),
        })?;
        // A filter costs one for each predicate; this is none.
        let of = |(state, s): (usize, &State)| Some((self.predicate(state)?, s.cost - 1.0));
        let predicates = self.list.iter().enumerate().filter_map(of).collect();
        Ok(Dimension::new(people, column, predicates)?)
    }
}
