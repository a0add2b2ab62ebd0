//! No order of steps, by whomever, leaves one out.

use super::*;
use crate::time::SECOND;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::Cell;

const START: Timestamp = Timestamp(1_700_000_000_000_000);
const OWNER: PersonId = PersonId(1);
const DELAY: i64 = HOUR;

fn payload(person: PersonId, reason: &str) -> Payload {
    Payload {
        person,
        wish: Wish::ResetFactors,
        caller: "c".into(),
        channel: Channel::Phone,
        reason: reason.into(),
    }
}

fn numbers() -> Vec<Number> {
    let number = |text: &str, since| Number { text: text.into(), since };
    vec![number("old", START.plus(-31 * DAY)), number("new", START.plus(-29 * DAY))]
}

/// Something that somebody tries.
#[derive(Debug, Clone)]
enum Try {
    Call(i64, bool),
    Look(i64, bool, Option<i64>),
    Vouch(i64),
    Begin(i64),
    Half(Option<i64>, bool),
    Change(i64, i64, u8),
    Approve(i64),
    Finish(i64, bool),
    Pass(i64),
}

fn tries() -> impl Strategy<Value = Try> {
    let who = || 1i64..6;
    prop_oneof![
        3 => (who(), prop::bool::weighted(0.8)).prop_map(|(by, old)| Try::Call(by, old)),
        3 => (who(), prop::bool::weighted(0.8), prop::option::weighted(0.3, who()))
            .prop_map(|(by, yes, colleague)| Try::Look(by, yes, colleague)),
        2 => who().prop_map(Try::Vouch),
        3 => who().prop_map(Try::Begin),
        6 => (prop::option::of(who()), prop::bool::weighted(0.8)).prop_map(|(by, fits)| Try::Half(by, fits)),
        1 => (who(), 1i64..3, 0u8..3).prop_map(|(by, of, reason)| Try::Change(by, of, reason)),
        4 => who().prop_map(Try::Approve),
        4 => (who(), prop::bool::weighted(0.9)).prop_map(|(by, same)| Try::Finish(by, same)),
        2 => prop_oneof![Just(SECOND), Just(MINUTE), Just(DELAY)].prop_map(Try::Pass),
    ]
}

/// The steps as they are meant, with anything tried in between; or anything at all.
fn courses() -> impl Strategy<Value = Vec<Try>> {
    let meant = [
        Try::Call(2, true),
        Try::Look(2, true, None),
        Try::Begin(2),
        Try::Half(Some(2), true),
        Try::Half(None, true),
        Try::Approve(3),
        Try::Pass(DELAY),
        Try::Finish(2, true),
    ];
    let between = prop::collection::vec(prop::collection::vec(tries(), 0..2), meant.len());
    let mixed = between.prop_map(move |between| {
        let mut all = Vec::new();
        for (step, others) in meant.iter().zip(between) {
            all.extend(others);
            all.push(step.clone());
        }
        all
    });
    prop_oneof![mixed, prop::collection::vec(tries(), 1..60)]
}

/// Tries it all and gives whether it was carried out in the end.
fn holds(all: Vec<Try>) -> Result<bool, TestCaseError> {
    let p = PersonId;
    let mut v = Verification::open(1, payload(OWNER, "r"), Some(p(2)), START).unwrap();
    let mut now = START;
    for one in all {
        let before = v.clone();
        let ok = match one {
            Try::Call(by, old) => {
                v.call_back(p(by), if old { "old" } else { "new" }, &numbers(), now, now).is_ok()
            }
            Try::Look(by, yes, colleague) => {
                let seen = Seen { same_person: yes, moved: true, unhurried: true };
                v.look(p(by), seen, colleague.map(p), now).is_ok()
            }
            Try::Vouch(by) => v.vouch(p(by), now).is_ok(),
            Try::Begin(by) => v.begin_tally(p(by), now).is_ok(),
            Try::Half(by, fits) => v.half(by.map(p), fits, now).is_ok(),
            Try::Change(by, of, reason) => {
                v.change(p(by), payload(p(of), &format!("r{reason}")), now).is_ok()
            }
            Try::Approve(by) => v.approve(p(by), v.text(), now).is_ok(),
            Try::Finish(by, same) => {
                let text = if same { v.text() } else { "other".to_owned() };
                v.finish(p(by), &text, DELAY, now).is_ok()
            }
            Try::Pass(micros) => {
                now = now.plus(micros);
                true
            }
        };
        if !ok {
            prop_assert_eq!(&v, &before, "a refused step left something behind");
        }
        prop_assert!(v.involved().all(|i| i != v.payload.person), "{:?}", v);
        let Some(approval) = &v.approved else {
            prop_assert!(v.end.is_none());
            continue;
        };
        let (called, look) = (v.called.clone().unwrap(), v.looked.unwrap());
        prop_assert_eq!(called.number.as_str(), "old");
        prop_assert!(look.colleague.is_none() || look.vouched_at.is_some());
        prop_assert!(v.tally.as_ref().is_some_and(Tally::passed));
        prop_assert!(v.involved().all(|i| i != approval.by) && approval.by != v.payload.person);
        prop_assert_eq!(&approval.digest, &v.text(), "an approval outlived a change");
        if let Some(end) = v.end {
            prop_assert!(end.at >= approval.at.plus(DELAY));
            prop_assert!(end.by != Some(approval.by) && end.by != Some(v.payload.person));
        }
    }
    Ok(v.end.is_some())
}

#[test]
fn nothing_is_done_without_every_step() {
    let mut runner = TestRunner::new(ProptestConfig::with_cases(2_000));
    let done = Cell::new(0);
    let found = runner.run(&courses(), |all| {
        done.set(done.get() + u32::from(holds(all)?));
        Ok(())
    });
    found.unwrap();
    // Some get there, or nothing was looked at.
    assert!(done.get() > 50, "{}", done.get());
}

proptest! {
    #[test]
    fn what_is_typed_is_read_without_surprise(text in ".{0,100}") {
        let once = normal(&text);
        prop_assert_eq!(normal(&once), once.clone());
        prop_assert!(once.chars().count() <= 64);
    }
}

#[test]
fn a_check_does_not_stay_open_for_ever() {
    let v = Verification::open(1, payload(OWNER, "r"), None, START).unwrap();
    assert!(!v.expired(START.plus(OPEN_FOR), DELAY));
    assert!(v.expired(START.plus(OPEN_FOR + 1), DELAY));
    assert!(Verification::open(1, payload(OWNER, "r"), Some(OWNER), START).is_err());
    for (caller, reason) in [("", "r"), ("c", " "), ("c", "a\u{0}b")] {
        let wrong = Payload { caller: caller.into(), ..payload(OWNER, reason) };
        assert!(wrong.checked().is_err(), "{caller:?} {reason:?}");
    }
}
