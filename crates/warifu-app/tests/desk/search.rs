//! Words are found in Japanese and English, also short ones.

use crate::on_both;

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
        w.app.change_person(&w.administrator, w.kenta.person, record, None).await.unwrap();
        assert_eq!((people("sato").await, people("佐藤").await, people("健").await), (0, 1, 1));
    });
}
