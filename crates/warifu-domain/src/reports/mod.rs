//! Report definitions: what is asked, in a form that can be stored, compared and re-run.

mod columns;
mod definition;
mod filter;

pub use columns::{Column, Kind, Subject, Value};
pub use definition::{Definition, DefinitionError, Format, Limits, OrderKey, Weight};
pub use filter::{CompiledFilter, Condition, Filter, FilterError, Literal, Op, Row, Sets, Test};
