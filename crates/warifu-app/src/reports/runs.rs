//! Runs: a definition, an instant, and who asked. A run's file leaves once.

use super::definitions::digest;
use super::preview::{Memory, Preview};
use crate::accesses::Of;
use crate::live::Event;
use crate::step_up::spend;
use crate::{App, AppError};
use std::sync::PoisonError;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::accesses::{AccessKind, Marks};
use warifu_domain::protected::{Action, Protected};
use warifu_domain::refusal;
use warifu_domain::reports::{Definition, Weight};
use warifu_domain::{DefinitionId, RunId};
use warifu_ledger::Count;
use warifu_ledger::body::ReportRefused;
use warifu_storage::accesses;
use warifu_storage::reports::{self, Run, RunEnd, RunState};

/// What somebody asks to be run.
pub struct NewRun {
    pub definition: Definition,
    /// The saved definition and version that it is, when it is one.
    pub saved: Option<(DefinitionId, i64)>,
    pub name: String,
    /// Why; must be said for a decision.
    pub reason: String,
    /// The actor has seen that the report is over everybody or over the limits, and runs it.
    pub decided: bool,
    /// Of a step-up for just this definition, where it is a decision.
    pub proof: Option<String>,
}

/// Longest reason in characters.
const MAX_REASON: usize = 500;

/// Whose people somebody may not have.
pub(super) enum Refused<'a> {
    /// They may not prepare it.
    Preview(&'a Definition, &'a Preview),
    /// They might, and have lost the right since.
    Run(&'a Run),
}

impl App {
    /// Prepares a run as of now: counts it, checks the right to it, and keeps it. Nothing leaves. What
    /// is a decision is somebody's own, and asks for their key; on the command line there is none.
    ///
    /// # Errors
    /// Denied; [`AppError::NeedsDecision`] when it is over everybody or over the limits and was not
    /// decided; [`AppError::StepUp`] without a proof for just this definition; what is wrong with the
    /// definition.
    pub async fn prepare_run(&self, actor: &Actor, new: NewRun) -> Result<Run, AppError> {
        let preview = self.preview_with(actor, &new.definition, Memory::Use).await?;
        let reason = new.reason.trim();
        if reason.chars().count() > MAX_REASON || reason.contains('\0') {
            return Err(AppError::invalid(
                "reason",
                refusal!("text-long", "at most {limit} characters are kept", limit = MAX_REASON),
            ));
        }
        let decision = preview.weight.is_decision();
        if decision && !actor.roles.allow(Permission::RunUnfilteredReports) {
            self.record_refused(actor, Refused::Preview(&new.definition, &preview)).await?;
        }
        if decision {
            actor.require(Permission::RunUnfilteredReports)?;
            if !new.decided {
                return Err(AppError::NeedsDecision(match preview.weight {
                    Weight::OverLimit { rows, limit } => {
                        refusal!(
                            "report-over-limit",
                            "the report has {rows} rows with personal data; above {limit} it is a decision of its own",
                            rows = rows,
                            limit = limit
                        )
                    }
                    _ => refusal!(
                        "report-everybody",
                        "the report has no filter: it names all {rows} people",
                        rows = preview.rows
                    ),
                }));
            }
            if reason.is_empty() {
                return Err(AppError::invalid(
                    "reason",
                    refusal!("reason-none", "say why the report has to be over so many people"),
                ));
            }
        }
        let digest = digest(&new.definition)?;
        let mut change = self.change().await?;
        if decision && actor.session.is_some() {
            let what = Protected::new(Action::PrepareReport).with("definition", digest);
            spend(&mut change, actor, &what, new.proof.as_deref()).await?;
        }
        let id = RunId(change.conn().take_ids("runs", 1).await?);
        let run = Run {
            id,
            saved: new.saved,
            name: if new.name.trim().is_empty() {
                "Report".into()
            } else {
                new.name.trim().chars().take(120).collect()
            },
            digest: digest.to_string(),
            definition: new.definition,
            actor: actor.person,
            reason: reason.to_owned(),
            as_of: preview.as_of,
            as_of_at: preview.as_of_at,
            state: RunState::Prepared,
            expected_rows: preview.rows as i64,
            expected_bytes: Some(preview.bytes as i64),
            started_at: change.at(),
            ended_at: None,
            rows: 0,
            bytes: 0,
            sha256: String::new(),
            column_bytes: String::new(),
            blocks: None,
            start_seq: None,
            end_seq: None,
        };
        reports::insert_run(&mut change.conn(), &run).await?;
        // The file is made as of the same revision: it has these rows and no others.
        accesses::keep_run(&mut change.conn(), id, &preview.organizations).await?;
        change.tell(Event::Run(id));
        change.commit().await?;
        Ok(run)
    }

    /// Whose people somebody wanted without the right to it. Whoever tries again and again is written down each
    /// time; the organizations are told of some twenty an hour, each of which may be a row for every one of them.
    pub(super) async fn record_refused(
        &self,
        actor: &Actor,
        refused: Refused<'_>,
    ) -> Result<(), AppError> {
        let (definition, rows) = match refused {
            Refused::Preview(definition, preview) => (definition, preview.rows),
            Refused::Run(run) => (&run.definition, run.expected_rows as u64),
        };
        let unfiltered = definition.weight(rows, &self.config.limits) == Weight::Unfiltered;
        let body = ReportRefused {
            definition: digest(definition)?,
            subject: definition.subject.key().to_owned(),
            rows: Count(rows),
            reason: if unfiltered { "unfiltered" } else { "over_limit" }.to_owned(),
        };
        let mut change = self.change().await?;
        let entry = change.record(actor, None, &body).await?;
        let person = actor.person.to_string();
        let told = {
            let mut tried = self.refused_reports.lock().unwrap_or_else(PoisonError::into_inner);
            tried.try_once(&person, change.at()).is_ok()
        };
        match refused {
            Refused::Preview(_, preview) if told => {
                let marks = Marks::REFUSED.with(Marks::of(definition));
                let of = preview.organizations.iter().map(|(o, n)| (*o, 0, *n as i64));
                let of: Vec<Of> = of.collect();
                change.saw(actor, entry, AccessKind::Report, marks, &of).await?;
            }
            Refused::Run(run) if told => {
                change.saw_run(actor, entry, Marks::REFUSED, run).await?;
            }
            _ => {}
        }
        change.commit().await?;
        Ok(())
    }

    /// # Errors
    /// Denied, or not found.
    pub async fn run(&self, actor: &Actor, id: RunId) -> Result<Run, AppError> {
        actor.require(Permission::RunReports)?;
        let found = reports::run(&mut self.db.read().await?.conn(), id).await?;
        found.ok_or(AppError::NotFound("report run"))
    }

    /// Runs, newest first, before an id.
    ///
    /// # Errors
    /// Denied.
    pub async fn runs(
        &self,
        actor: &Actor,
        before: RunId,
        limit: i64,
    ) -> Result<Vec<Run>, AppError> {
        actor.require(Permission::RunReports)?;
        Ok(reports::runs(&mut self.db.read().await?.conn(), before, limit).await?)
    }

    /// Asks a transfer to stop. It ends with an abort entry shortly after; a run whose file has not
    /// begun to leave is put aside.
    ///
    /// # Errors
    /// Denied, not found, or nothing to cancel.
    pub async fn cancel_run(&self, actor: &Actor, id: RunId) -> Result<(), AppError> {
        let run = self.run(actor, id).await?;
        if let Some(progress) = self.transfers.progress(id) {
            progress.cancel();
            return Ok(());
        }
        if run.state != RunState::Prepared {
            return Err(AppError::Conflict(refusal!(
                "run-ended",
                "the run has ended; there is nothing to cancel"
            )));
        }
        let mut change = self.change().await?;
        let at = change.at();
        // Again under the lock: a download that has begun meanwhile ends with its own entry.
        let now = reports::run(&mut change.conn(), id).await?.map(|run| run.state);
        if now != Some(RunState::Prepared) {
            return Err(AppError::Conflict(refusal!(
                "run-leaving",
                "the file began to leave a moment ago; cancel it again"
            )));
        }
        let end = RunEnd {
            state: RunState::Aborted,
            at,
            rows: 0,
            bytes: 0,
            sha256: "",
            column_bytes: "",
            blocks: &[],
            // No byte had begun to leave, so the ledger has neither start nor abort.
            end_seq: -1,
        };
        reports::end_run(&mut change.conn(), id, &end).await?;
        change.tell(Event::Run(id));
        change.commit().await?;
        Ok(())
    }
}
