//! Words are found in Japanese and English, also short ones.

use crate::on_both;
use warifu_storage::{Conn, search, settings};

#[test]
fn short_words_of_both_languages_find_their_cases() {
    on_both(async |w| {
        let japanese = w.ask(&w.kenta, "SAML証明書の更新", "認証が毎回やり直しになります。").await;
        let english =
            w.ask(&w.stranger, "Cannot sign in on VPN", "It says “token expired” at 9 AM.").await;
        let name = w.ask(&w.yui, "配送の件", "ＳＡＭＬとカタカナ、駅").await;
        for (text, expected) in [
            ("認証", vec![japanese]),
            ("証明", vec![japanese]),
            ("証明書", vec![japanese]),
            ("明書の更", vec![japanese]),
            ("更新 認証", vec![japanese]),
            ("駅", vec![name]),
            ("配", vec![name]),
            ("カナ", vec![name]),
            ("saml", vec![name, japanese]),
            ("ＳＡＭＬ", vec![name, japanese]),
            ("in", vec![english]),
            ("AM", vec![english]),
            ("vpn tok", vec![english]),
            ("expi", vec![english]),
            ("“token", vec![english]),
            ("証書", vec![]),
            ("更証", vec![]),
            ("tokens", vec![]),
            ("oken", vec![]),
            ("\" OR 1=1 --", vec![]),
            ("' & ! | <-> :* \\", vec![]),
            ("", vec![]),
        ] {
            let found = w.app.search(&w.agent, text, 10).await.unwrap();
            let ids: Vec<_> = found.cases.iter().map(|c| c.id).collect();
            assert_eq!(ids, expected, "{text}");
        }
        for text in [
            format!("HC-{japanese}"),
            format!("hc {japanese}"),
            format!("＃{japanese}"),
            japanese.to_string(),
        ] {
            let found = w.app.search(&w.agent, &text, 10).await.unwrap();
            assert_eq!(found.jump, Some(japanese), "{text}");
        }
        assert_eq!(w.app.search(&w.agent, "-1", 10).await.unwrap().jump, None);
        // A changed record is found by its new words only.
        let people =
            async |text: &str| w.app.search(&w.agent, text, 10).await.unwrap().people.len();
        assert_eq!(people("sato").await, 1);
        let mut record = w.app.person(&w.agent, w.kenta.person).await.unwrap().person.record;
        record.full_name = Some("佐藤 健太".into());
        record.email = Some("kenta@mizuno.example".into());
        w.app.change_person(&w.administrator, w.kenta.person, record, None, None).await.unwrap();
        assert_eq!((people("sato").await, people("佐藤").await, people("健").await), (0, 1, 1));
    });
}

#[test]
fn customers_find_their_own_whatever_others_wrote() {
    on_both(async |w| {
        let mine = w.ask(&w.kenta, "Certificate", "the certificate expired").await;
        // Every newer message has the words too: colleagues' and other organizations'.
        let colleague = w.ask(&w.yui, "Certificate", "the certificate expired").await;
        for _ in 0..450 {
            w.ask(&w.stranger, "Certificate", "the certificate expired").await;
        }
        let find = async |who| {
            let found = w.app.search(who, "certificate expired", 10).await.unwrap();
            found.cases.iter().map(|c| c.id).collect::<Vec<_>>()
        };
        assert_eq!(find(&w.kenta).await, [mine]);
        assert_eq!(find(&w.yui).await, [colleague]);
        assert_eq!(find(&w.agent).await.len(), 10);

        // An index that an update has emptied is filled again, and finds the same.
        let before = (find(&w.agent).await, find(&w.kenta).await);
        let mut tx = w.app.db.begin_plain().await.unwrap();
        for sql in ["DELETE FROM message_search", "DELETE FROM message_cases"] {
            match &mut tx.conn() {
                Conn::Sqlite(c, _) => drop(sqlx::query(sql).execute(&mut **c).await.unwrap()),
                Conn::Postgres(c, _) => drop(sqlx::query(sql).execute(&mut **c).await.unwrap()),
            }
        }
        settings::set(&mut tx.conn(), "search_filled_to", "0 0").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(find(&w.kenta).await, []);
        let mut last = 0;
        search::fill::fill(&w.app.db, |done| last = done).await.unwrap();
        assert!(last >= 452, "{last}");
        assert_eq!((find(&w.agent).await, find(&w.kenta).await), before);
        search::fill::fill(&w.app.db, |_| panic!("there is nothing to do")).await.unwrap();
    });
}
