//! Whoever is switched off: how they are told apart, and what becomes of whom they were letting in.

use super::{act, three};
use crate::attacks::helpdesk::people::{DAY, Desk, Somebody};
use crate::attacks::verified;
use hyper::Method;
use serde_json::json;

on_both! {
    async fn whom_somebody_was_letting_in_stays_out_when_they_are_switched_off(w: Warifu) {
        let (mut root, mut admin, customer) = three(&w).await;
        let mut other = Somebody::invited(&w, "other@example.com", "administrator").await;
        let record = json!({ "full_name": "Nao Abe", "email": "nao@alder.example" });
        let person = root.api(Method::GET, &format!("/api/v1/people/{customer}"), json!({})).await.value();
        let new = json!({ "organization": person["organization"], "record": record });
        let second = root.api(Method::POST, "/api/v1/people", new).await.value()["id"].as_i64().unwrap();
        let theirs = admin.invited_path(&w, customer).await;
        let mut opened = w.client();
        assert_eq!(opened.get(&theirs).await.status, 200);
        let others = other.invited_path(&w, second).await;

        assert_eq!(root.switch(admin.id, false).await.status, 204);
        assert_eq!(opened.get(&theirs).await.status, 410, "the accomplice is let in");
        assert!(root.way_in(customer).await["invitation"].is_null());
        assert_eq!(root.acts().await[..2], [act("withdraw_invitation", customer), act("switch_person_off", admin.id)]);
        // Nobody else's, and whoever was to come in is invited anew.
        assert_eq!(root.way_in(second).await["invitation"]["by"], "other@example.com");
        assert_eq!(Somebody::enter(&w, &others).await.id, second);
        let anew = root.invited_path(&w, customer).await;
        assert_eq!(Somebody::enter(&w, &anew).await.id, customer);
        verified(&w);
    }

    async fn a_way_in_to_which_two_agreed_stays_when_one_is_switched_off(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 31).await;
        let id = desk.approved(&w).await;
        w.pass(31 * DAY + 2 * DAY);
        desk.back(&w).await;
        let done = desk.admin.done(id).await;
        assert_eq!(done.status, 200, "{}", done.text());
        let (admin, owner) = (desk.admin.id, desk.owner.id);
        assert_eq!(desk.root.switch(admin, false).await.status, 204);
        assert!(desk.root.way_in(owner).await["invitation"].is_object());
        assert_eq!(desk.root.acts().await[0], act("switch_person_off", admin));
    }

    async fn the_list_of_people_says_who_is_switched_off(w: Warifu) {
        let (mut root, mut admin, customer) = three(&w).await;
        let marked = async |root: &mut Somebody, path: &str, word: &str| {
            let language = if word == "停止中" { "ja" } else { "en" };
            let page = root.client.clone().header("accept-language", language).get(path).await;
            assert_eq!(page.status, 200, "{}", page.text());
            let row = page.text().split("<tr>").find(|row| row.contains(&format!("href=\"/people/{customer}\"")));
            let row = row.unwrap_or_else(|| panic!("nobody in {}", page.text()));
            row.contains(&format!("<span class=\"pill\" data-tone=\"bad\">{word}</span>"))
        };
        let paths = ["/people", "/people?q=haruka"];
        for path in paths {
            assert!(!marked(&mut root, path, "Switched off").await, "{path}");
        }
        assert_eq!(admin.switch(customer, false).await.status, 204);
        for path in paths {
            assert!(marked(&mut root, path, "Switched off").await, "{path}");
            assert!(marked(&mut root, path, "停止中").await, "{path}");
        }
        let list = root.api(Method::GET, "/api/v1/people", json!({})).await.value();
        let people = list["people"].as_array().unwrap();
        let off: Vec<_> = people.iter().filter(|p| p["active"] == false).map(|p| p["id"].as_i64()).collect();
        assert_eq!(off, [Some(customer)]);
    }
}
