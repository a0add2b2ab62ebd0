//! Why a first answer differed: the definition that was guessed beside the one that fits.

use super::matching;
use crate::{App, AppError};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use warifu_domain::reports::{Definition, Filter};
use warifu_domain::{DefinitionId, Revision};

/// A saved definition that was thought to be the download's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guess {
    pub id: DefinitionId,
    pub version: i64,
    pub name: String,
    pub definition: Definition,
}

impl Guess {
    /// A guess as it is stored: with the name and version of the saved definition, or the bare
    /// definition where it was none.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Guess, AppError> {
        if let Ok(guess) = serde_json::from_str(text) {
            return Ok(guess);
        }
        let definition =
            serde_json::from_str(text).map_err(|e| AppError::Internal(format!("guess: {e}")))?;
        Ok(Guess { id: DefinitionId(0), version: 0, name: String::new(), definition })
    }
}

/// A guess and the best candidate, counted on the same state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    pub guess: Guess,
    /// What the guessed report's file has.
    pub rows: u64,
    pub bytes: Option<u64>,
    /// Its size minus the recorded one.
    pub difference: i64,
    /// What the best candidate's file has; `None` when nothing was found.
    pub best: Option<(u64, u64)>,
    /// Conditions that only the guess has.
    pub conditions_gone: Vec<Filter>,
    /// Conditions that only the candidate has.
    pub conditions_new: Vec<Filter>,
    /// Conditions of both.
    pub conditions_same: Vec<Filter>,
    /// Column keys that only the guess has, and those that only the candidate has.
    pub columns_gone: Vec<String>,
    pub columns_new: Vec<String>,
    /// Exporters of both, where they differ.
    pub formats: Option<(String, String)>,
}

/// The conditions that must all hold.
fn conditions(filter: &Filter) -> Vec<Filter> {
    match filter {
        Filter::All { all } => all.iter().flat_map(conditions).collect(),
        other => vec![other.clone()],
    }
}

fn only_in<T: PartialEq + Clone>(a: &[T], b: &[T]) -> Vec<T> {
    a.iter().filter(|x| !b.contains(x)).cloned().collect()
}

impl App {
    /// Adds (or renews) the comparison with the guess in a stored result.
    pub(super) async fn compared(&self, result: &str, guess: &Guess) -> Result<String, AppError> {
        let mut result: serde_json::Value =
            serde_json::from_str(result).map_err(|e| AppError::Internal(e.to_string()))?;
        let revision = Revision(result["as_of"]["revision"].as_i64().unwrap_or_default());
        let recorded = result["target"]["bytes"].as_u64().unwrap_or_default();
        let best = matching::candidate(&result, 1);
        let (app, guess, runtime) = (self.clone(), guess.clone(), Handle::current());
        let work = tokio::task::spawn_blocking(move || {
            app.comparison(&runtime, &guess, best.as_ref(), recorded, revision)
        });
        let comparison = work.await.map_err(|e| AppError::Internal(e.to_string()))??;
        result["guess"] =
            serde_json::to_value(comparison).map_err(|e| AppError::Internal(e.to_string()))?;
        Ok(result.to_string())
    }

    pub(super) fn comparison(
        &self,
        runtime: &Handle,
        guess: &Guess,
        best: Option<&(Definition, u64, u64)>,
        recorded: u64,
        revision: Revision,
    ) -> Result<Comparison, AppError> {
        let counted = self.count(runtime, &guess.definition, revision)?;
        let ours = conditions(&guess.definition.filter);
        let theirs = best.map(|b| conditions(&b.0.filter)).unwrap_or_default();
        let columns = best.map(|b| b.0.columns.clone()).unwrap_or_default();
        let formats =
            best.map(|b| (guess.definition.format.id(), b.0.format.id())).filter(|(a, b)| a != b);
        let none = best.is_none();
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(Comparison {
            rows: counted.rows,
            bytes: Some(counted.bytes),
            difference: signed(counted.bytes) - signed(recorded),
            best: best.map(|b| (b.1, b.2)),
            conditions_gone: if none { Vec::new() } else { only_in(&ours, &theirs) },
            conditions_new: only_in(&theirs, &ours),
            conditions_same: ours.iter().filter(|f| none || theirs.contains(f)).cloned().collect(),
            columns_gone: if none {
                Vec::new()
            } else {
                only_in(&guess.definition.columns, &columns)
            },
            columns_new: only_in(&columns, &guess.definition.columns),
            formats,
            guess: guess.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warifu_domain::reports::Subject;

    #[test]
    fn a_bare_definition_is_a_guess_too() {
        let definition = Definition::of_everything(Subject::People);
        let bare = serde_json::to_string(&definition).unwrap();
        let guess = Guess::parse(&bare).unwrap();
        assert_eq!((guess.id, &guess.definition), (DefinitionId(0), &definition));
        let named = Guess { name: "All".into(), ..guess };
        assert_eq!(Guess::parse(&serde_json::to_string(&named).unwrap()).unwrap(), named);
        assert!(Guess::parse("{}").is_err());
    }
}
