//! `Idempotency-Key`: once, and again after whoever took it is gone.

use crate::on_both;
use warifu_app::AppError;
use warifu_app::idempotency::{Key, LEASE};

#[test]
fn a_key_whose_request_died_is_taken_over_once() {
    on_both(async |w| {
        let take = async |request: &'static [u8]| w.app.take_key(&w.agent, "k", request).await;
        let Key::Free(first) = take(b"r").await.unwrap() else { panic!("it is new") };
        // Whoever took it may still be at work.
        w.wait(LEASE - 1_000_000);
        assert!(matches!(take(b"r").await, Err(AppError::Conflict(_))));
        w.wait(1_000_000);
        // Another request never gets it.
        assert!(matches!(take(b"other").await, Err(AppError::Invalid { .. })));
        // Of several at once, one does.
        let tries = futures_util::future::join_all((0..8).map(|_| take(b"r"))).await;
        let taken: Vec<_> = tries
            .iter()
            .filter_map(|t| match t {
                Ok(Key::Free(at)) => Some(*at),
                Err(AppError::Conflict(_)) => None,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(taken.len(), 1, "{tries:?}");
        // The one that was thought dead says nothing any more.
        w.app.release_key(&w.agent, "k", first).await.unwrap();
        w.app.keep_answer(&w.agent, "k", first, "old").await.unwrap();
        assert!(matches!(take(b"r").await, Err(AppError::Conflict(_))));
        w.app.keep_answer(&w.agent, "k", taken[0], "new").await.unwrap();
        w.wait(LEASE * 2);
        assert_eq!(take(b"r").await.unwrap(), Key::Answered("new".into()));
    });
}
