//! The steps of the desk and of the caller: call-back, look, vouching, tally.

use super::{Held, action, gone, refused, step};
use crate::attachments::hex;
use crate::sign_in::From;
use crate::step_up::spend;
use crate::{App, AppError};
use warifu_auth::{TokenHash, digest, equal};
use warifu_domain::access::{Actor, Permission};
use warifu_domain::people::looks_like_email;
use warifu_domain::protected::{Action, Protected};
use warifu_domain::verification::{Seen, Tally, Verification, code_text, halves, normal};
use warifu_domain::{Timestamp, refusal};
use warifu_storage::{credentials, people, verifications as store};

/// What a caller sees of a tally.
#[derive(Clone, Debug)]
pub struct CallerSide {
    pub id: i64,
    /// Their half, to be said.
    pub half: String,
    /// Whether they have typed the desk's half, and the desk theirs.
    pub caller_fits: bool,
    pub agent_fits: bool,
    pub tries: u32,
    pub ends_at: Timestamp,
}

/// What a colleague says by touching their key: in this check the caller is this person.
pub(super) fn vouched_for(v: &Verification) -> Protected {
    Protected::new(Action::Vouch).with("verification", v.id).with("person", v.payload.person)
}

fn code_hash(code: &str) -> TokenHash {
    digest(format!("tally:{}", normal(code)).as_bytes())
}

/// As an invitation is tied: the way in that comes of a check opens in the same browser.
fn browser_hash(browser: &str) -> String {
    hex(&crate::passkeys::browser_hash(browser))
}

impl App {
    /// The agent's half and the caller's.
    fn halves(&self, v: &Verification, tally: &Tally) -> (String, String) {
        let purpose = format!("tally {} {} {}", v.id, tally.number, tally.at.0);
        halves(&self.keys.for_purpose(&purpose))
    }

    pub(super) fn agent_side(&self, v: &Verification, tally: &Tally) -> (String, String) {
        (self.tally_code(v.id, tally.number, tally.at), self.halves(v, tally).0)
    }

    fn tally_code(&self, id: i64, number: u32, at: Timestamp) -> String {
        code_text(&self.keys.for_purpose(&format!("tally code {id} {number} {}", at.0)))
    }

    /// The call to a number that was on record.
    ///
    /// # Errors
    /// Denied; [`AppError::NotFound`]; [`AppError::Invalid`] for a number that does not qualify or a time at
    /// which no call can have been; [`AppError::Conflict`] when it is not the step that comes now.
    pub async fn call_back(
        &self,
        actor: &Actor,
        id: i64,
        number: &str,
        at: Option<Timestamp>,
    ) -> Result<(), AppError> {
        actor.require(Permission::VerifyCallers)?;
        let mut change = self.change().await?;
        let mut held = self.held(&mut change, actor, id).await?;
        let now = change.at();
        self.in_time(&held, now)?;
        let record = &held.owner.record;
        let known: Vec<&str> =
            [&record.phone, &record.mobile].into_iter().flatten().map(String::as_str).collect();
        let numbers = store::numbers(&mut change.conn(), held.owner.id, &known).await?;
        held.v
            .call_back(actor.person, number, &numbers, at.unwrap_or(now), now)
            .map_err(refused)?;
        self.keep_step(change, actor, held, "call_back").await
    }

    async fn keep_step(
        &self,
        mut change: crate::Change<'_>,
        actor: &Actor,
        held: Held,
        method: &str,
    ) -> Result<(), AppError> {
        let now = change.at();
        store::update(&mut change.conn(), &held.v, now).await?;
        let organization = Some(held.owner.organization);
        change.record(actor, organization, &step(&held.v, method, true)).await?;
        change.commit().await?;
        Ok(())
    }

    /// The look at the caller; with a colleague's address it waits for their word.
    ///
    /// # Errors
    /// As [`App::call_back`].
    pub async fn look(
        &self,
        actor: &Actor,
        id: i64,
        seen: Seen,
        colleague: Option<&str>,
    ) -> Result<(), AppError> {
        actor.require(Permission::VerifyCallers)?;
        let mut change = self.change().await?;
        let mut held = self.held(&mut change, actor, id).await?;
        let now = change.at();
        self.in_time(&held, now)?;
        let colleague = match colleague.map(str::trim).filter(|c| !c.is_empty()) {
            None => None,
            Some(email) => {
                let found = match looks_like_email(email) {
                    true => people::find_by_email(&mut change.conn(), email).await?,
                    false => None,
                };
                let unfit = || {
                    let what = refusal!(
                        "verify-colleague",
                        "this person cannot vouch here; name another colleague"
                    );
                    AppError::invalid("colleague", what)
                };
                let fits = found
                    .filter(|p| p.active && p.organization == held.owner.organization)
                    .ok_or_else(unfit)?;
                // Their word takes their key, and a password is none.
                let factors = credentials::of_person(&mut change.conn(), fits.id).await?;
                if !factors.iter().any(|k| k.kind.phishing_resistant()) {
                    return Err(unfit());
                }
                Some(fits.id)
            }
        };
        held.v.look(actor.person, seen, colleague, now).map_err(refused)?;
        let method = if colleague.is_some() { "vouch_asked" } else { "visual" };
        self.keep_step(change, actor, held, method).await
    }

    /// The colleague's word, in a session of their own and with their own key: their session alone lets
    /// nobody in.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for everybody else; [`AppError::StepUp`] without a proof for just this check
    /// of just this person.
    pub async fn vouch(&self, actor: &Actor, id: i64, proof: Option<&str>) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let mut held = self.held_by(&mut change, id).await?;
        let now = change.at();
        if held.v.looked.and_then(|l| l.colleague) != Some(actor.person) {
            return Err(gone());
        }
        self.in_time(&held, now)?;
        held.v.vouch(actor.person, now).map_err(refused)?;
        spend(&mut change, actor, &vouched_for(&held.v), proof).await?;
        self.keep_step(change, actor, held, "vouched").await
    }

    /// Begins a tally: a code for the caller's page, and new halves.
    ///
    /// # Errors
    /// As [`App::call_back`].
    pub async fn begin_tally(&self, actor: &Actor, id: i64) -> Result<(), AppError> {
        actor.require(Permission::VerifyCallers)?;
        let mut change = self.change().await?;
        let mut held = self.held(&mut change, actor, id).await?;
        let now = change.at();
        self.in_time(&held, now)?;
        let number = held.v.begin_tally(actor.person, now).map_err(refused)?;
        let code = code_hash(&self.tally_code(id, number, now));
        let ends = held.v.tally.as_ref().map_or(now, Tally::ends_at);
        store::insert_tally(&mut change.conn(), &code, id, now, ends).await?;
        self.keep_step(change, actor, held, "tally_begun").await
    }

    /// The caller's half, as the agent heard it.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when it does not fit: it counts; and as [`App::call_back`].
    pub async fn agent_half(&self, actor: &Actor, id: i64, half: &str) -> Result<(), AppError> {
        actor.require(Permission::VerifyCallers)?;
        let mut change = self.change().await?;
        let held = self.held(&mut change, actor, id).await?;
        self.in_time(&held, change.at())?;
        self.typed(change, held, Some(actor), "", half).await
    }

    /// Keeps a half that a side typed, right or wrong.
    async fn typed(
        &self,
        mut change: crate::Change<'_>,
        mut held: Held,
        actor: Option<&Actor>,
        network: &str,
        half: &str,
    ) -> Result<(), AppError> {
        let (now, v) = (change.at(), &mut held.v);
        let Some(tally) = v.tally.clone() else {
            // There is none: the rule says which step comes now.
            return v.half(None, false, now).map(|_| ()).map_err(refused);
        };
        let (agents, callers) = self.halves(v, &tally);
        let wanted = if actor.is_some() { callers } else { agents };
        let fits = equal(&normal(half), &wanted);
        let both = v.half(actor.map(|a| a.person), fits, now).map_err(refused)?;
        store::update(&mut change.conn(), v, now).await?;
        let organization = Some(held.owner.organization);
        let entry = step(v, if both { "tally" } else { "tally_half" }, fits);
        match actor {
            Some(actor) => change.record(actor, organization, &entry).await?,
            None => change.record_stranger(network, &entry).await?,
        };
        if both {
            let entry = action(v, "verified");
            match actor {
                Some(actor) => change.record(actor, organization, &entry).await?,
                None => change.record_stranger(network, &entry).await?,
            };
        }
        let left = v.tally.as_ref().map_or(0, Tally::tries);
        change.commit().await?;
        match fits {
            true => Ok(()),
            false => Err(AppError::invalid(
                "half",
                refusal!(
                    "verify-half",
                    "it does not fit; tries left: {left}",
                    left = i64::from(left)
                ),
            )),
        }
    }

    /// Opens the caller's side in a browser, which ties it to that browser. `None` when there is no
    /// such code, it is over or used up, or another browser has it: nobody learns which.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_tally(
        &self,
        code: &str,
        from: From<'_>,
    ) -> Result<Option<CallerSide>, AppError> {
        let now = self.now();
        let found =
            store::of_tally(&mut self.db.read().await?.conn(), &code_hash(code), now).await?;
        let own = browser_hash(from.browser);
        let Some(v) = found else { return Ok(None) };
        let Some(tally) = &v.tally else { return Ok(None) };
        let here = match &tally.browser {
            Some(browser) => *browser == own,
            None => tally.lives(now) && self.tie(v.id, tally, &own, now).await?,
        };
        let shown = here && v.end.is_none() && (tally.lives(now) || tally.passed());
        Ok(shown.then(|| CallerSide {
            id: v.id,
            half: self.halves(&v, tally).1,
            caller_fits: tally.caller_fits,
            agent_fits: tally.agent_fits,
            tries: tally.tries(),
            ends_at: tally.ends_at(),
        }))
    }

    /// Ties a tally to the browser that opens it first.
    async fn tie(
        &self,
        id: i64,
        shown: &Tally,
        browser: &str,
        now: Timestamp,
    ) -> Result<bool, AppError> {
        let mut change = self.change().await?;
        let mut held = self.held_by(&mut change, id).await?;
        let fits =
            held.v.tally.as_mut().filter(|t| t.number == shown.number && t.browser.is_none());
        let Some(tally) = fits else { return Ok(false) };
        tally.browser = Some(browser.to_owned());
        store::update(&mut change.conn(), &held.v, now).await?;
        change.commit().await?;
        Ok(true)
    }

    /// The agent's half, as the caller heard it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where this browser has no such tally; [`AppError::Invalid`] when it does not
    /// fit: it counts.
    pub async fn caller_half(
        &self,
        code: &str,
        half: &str,
        from: From<'_>,
    ) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let now = change.at();
        let found = store::of_tally(&mut change.conn(), &code_hash(code), now).await?;
        let v = found.ok_or_else(gone)?;
        let own = browser_hash(from.browser);
        let tied = v.tally.as_ref().and_then(|t| t.browser.as_deref());
        if !tied.is_some_and(|browser| equal(browser, &own)) {
            return Err(gone());
        }
        let held = self.held_by(&mut change, v.id).await?;
        self.in_time(&held, now)?;
        self.typed(change, held, None, from.network, half).await
    }
}
