//! 35: service tokens from elsewhere, in pages, with proofs of other requests, beyond their scope.

pub mod programs;

use super::{entries, notices, verified};
use crate::identity_provider::another;
use crate::sign_in::{SESSION, enter, invitation};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Method;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use programs::{ASSERTION, ELSEWHERE, HOME, Key, Owner, Program, agreed, bare, refused, wanted};
use serde_json::{Value, json};

on_both! {
    async fn attack_35_a_token_from_elsewhere_or_for_a_page_is_refused(mut w: Warifu) {
        let mut owner = Owner::new(&mut w).await;
        let program = owner.program(&w, &["cases", "people:read"]).await;
        let home = bare(&w, HOME);
        let token = program.token(&home).await;
        let answer = program.call(&home, "GET", "/api/v1/cases?view=active", &token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = entries(&mut owner.client, "api_page").await[0].clone();
        assert_eq!(page["actor"]["role"], "api_client", "{page}");
        let told = entries(&mut owner.client, "sign_in").await[0]["body"].clone();
        assert_eq!((&told["factor"], &told["device_bound"]), (&json!("service"), &json!(true)));
        // What it sends is asked for as everybody's: this is no case.
        assert_eq!(program.call(&home, "POST", "/api/v1/cases", &token).await.status, 422);

        let elsewhere = bare(&w, ELSEWHERE);
        let answer = program.call(&elsewhere, "GET", "/api/v1/cases", &token).await;
        refused(&answer, 403, "service-network");
        assert_eq!(notices(&mut owner.client).await[0], "service_refused");
        let answer = program.exchange(&elsewhere, &program.assertion(&json!({})), "").await;
        refused(&answer, 403, "service-network");
        assert_eq!(owner.reasons().await, ["other_network"; 2]);
        let entry = entries(&mut owner.client, "sign_in_refused").await[0].clone();
        assert_eq!(entry["network"]["prefix"], "198.51.100.0/24", "{entry}");

        for (method, path) in [
            ("GET", "/cases"),
            ("GET", "/people"),
            ("GET", "/account/passkeys"),
            ("GET", "/service-accounts"),
            ("POST", "/step-up/options"),
            ("POST", "/sign-in/options"),
            ("POST", "/enrol/options"),
        ] {
            refused(&program.call(&home, method, path, &token).await, 403, "service-pages");
        }
        assert_eq!(owner.reasons().await[0], "pages");
        // Neither as a cookie, nor beside somebody's, nor as a plain bearer secret.
        let mut cookie = bare(&w, HOME);
        cookie.cookies.insert(SESSION.to_owned(), token.clone());
        assert_eq!(cookie.get("/api/v1/session").await.status, 401);
        let mut beside = owner.client.clone().header("accept", "application/json");
        beside.headers.insert("authorization".into(), "DPoP x".into());
        refused(&beside.get("/api/v1/session").await, 401, "service-token");
        let mut bearer = home.clone().header("authorization", &format!("Bearer {token}"));
        assert_eq!(bearer.get("/api/v1/cases").await.status, 401);

        // Revoked: nothing that starts afterwards.
        let gone = owner.script().json(Method::DELETE, "/api/v1/service-accounts/1", &json!({})).await;
        assert_eq!(gone.status, 204, "{}", gone.text());
        refused(&program.call(&home, "GET", "/api/v1/cases", &token).await, 401, "service-token");
        let answer = program.exchange(&home, &program.assertion(&json!({})), "").await;
        refused(&answer, 401, "service-client");
        let told = entries(&mut owner.client, "protected_action").await;
        let told: Vec<_> = told.iter().map(|e| e["body"]["action"].clone()).collect();
        assert_eq!(told[..4], ["revoke_service", "approve", "create_service", "create_service"]);
        verified(&w);
    }

    async fn attack_35_what_a_program_reads_is_told_to_whom_it_is_about(mut w: Warifu) {
        let mut owner = Owner::new(&mut w).await;
        let organization = json!({ "name": "alder", "environment": "production", "products": [], "domain": "" });
        let made = owner.script().json(Method::POST, "/api/v1/organizations", &organization).await;
        let organization = made.value()["id"].as_i64().expect("an id");
        let person = json!({ "organization": organization, "record": { "full_name": "A", "email": "a@alder.example" } });
        let made = owner.script().json(Method::POST, "/api/v1/people", &person).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let program = owner.program(&w, &["people:read"]).await;
        let home = bare(&w, HOME);
        let token = program.token(&home).await;
        assert_eq!(program.call(&home, "GET", "/api/v1/people", &token).await.status, 200);
        let told = owner.script().get(&format!("/api/v1/organizations/{organization}/accesses")).await.value();
        let first = &told["accesses"][0];
        assert_eq!((&first["program"], &first["how"]), (&json!(true), &json!("listed")), "{told}");
        assert_eq!((&first["name"], &first["records"]), (&json!("nightly"), &json!(1)), "{told}");
    }

    async fn attack_35_one_person_alone_lets_no_program_in(mut w: Warifu) {
        let mut owner = Owner::new(&mut w).await;
        let mut second = another(&w).await;
        let program = owner.waiting(&w, &["cases"]).await;
        // Nor with a second person whom they made for it.
        let mut late = another(&w).await;
        let waits = late.client.get("/api/v1/approvals").await.value();
        let late = crate::attacks::policy::agree(&mut late, waits[0]["id"].as_i64().unwrap()).await;
        refused(&late, 409, "conflict");
        let home = bare(&w, HOME);
        let answer = program.exchange(&home, &program.assertion(&json!({})), "").await;
        refused(&answer, 401, "service-client");
        let page = owner.client.get("/approvals").await;
        assert!(page.text().contains("nightly") && page.text().contains("192.0.2.0/24"), "{}", page.text());
        second.agrees().await;
        let token = program.token(&home).await;
        let answer = program.call(&home, "GET", "/api/v1/cases", &token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told = entries(&mut owner.client, "policy_change").await;
        assert_eq!(told[0]["body"]["policy"], "service_account:1");

        // One that was revoked while it waited is not agreed to any more.
        let program = owner.waiting(&w, &["cases"]).await;
        let gone = owner.script().json(Method::DELETE, "/api/v1/service-accounts/2", &json!({})).await;
        assert_eq!(gone.status, 204, "{}", gone.text());
        second.agrees().await;
        let told = entries(&mut owner.client, "protected_action").await;
        assert_eq!(told[0]["body"]["action"], "void");
        let answer = program.exchange(&home, &program.assertion(&json!({})), "").await;
        refused(&answer, 401, "service-client");
        verified(&w);
    }

    async fn a_program_stops_with_its_owner(mut w: Warifu) {
        let mut owner = Owner::new(&mut w).await;
        let program = owner.program(&w, &["people:read", "people:change"]).await;
        let home = bare(&w, HOME);
        let token = program.token(&home).await;
        let one = "/api/v1/people/1";
        // It has no key to change with how somebody is reached who has a way in.
        let agent = invitation(&w, "agent@example.com", "agent");
        enter(&mut w.client(), w.base(), &agent).await;
        let agent = "/api/v1/people/4";
        let mut record = program.call(&home, "GET", agent, &token).await.value()["record"].clone();
        assert_eq!(record["email"], "agent@example.com");
        record["email"] = "thief@example.com".into();
        let proof = program.proof("PUT", agent, Some(&token), &json!({}));
        let mut http = home.clone().header("authorization", &format!("DPoP {token}")).header("dpop", &proof);
        let answer = http.json(Method::PUT, agent, &json!({ "record": record })).await;
        refused(&answer, 403, "step-up-required");
        for (method, path) in [("GET", "/way-in"), ("POST", "/invitation"), ("PUT", "/standing")] {
            let answer = program.call(&home, method, &format!("{one}{path}"), &token).await;
            refused(&answer, 403, "service-scope");
        }

        let mut second = w.client().header("x-forwarded-for", "203.0.113.1");
        let mut passkey = enter(&mut second, w.base(), &invitation(&w, "second@example.com", "super_administrator")).await;
        let mut switch = async |to: &str| {
            let page = second.get("/people/1").await;
            let form = page.form("action", "/people/1/standing");
            assert!(form.fields.contains(&("state".into(), to.into())), "{:?}", form.fields);
            let form = second.step_up(form, &mut passkey).await;
            assert_eq!(second.submit(&form, &[]).await.location(), "/people/1");
        };
        switch("off").await;
        refused(&program.call(&home, "GET", one, &token).await, 401, "service-token");
        let answer = program.exchange(&home, &program.assertion(&json!({})), "").await;
        refused(&answer, 401, "service-client");
        switch("on").await;
        program.token(&home).await;
        let told = entries(&mut second, "sign_in_refused").await;
        assert_eq!(told[0]["body"]["reason"], "unknown_client", "{told:?}");
        verified(&w);
    }

    async fn attack_35_a_flood_of_refusals_is_counted_and_keeps_no_program_out(mut w: Warifu) {
        w.clock = true;
        let mut owner = Owner::new(&mut w).await;
        let mut program = owner.program(&w, &["cases"]).await;
        let (home, elsewhere) = (bare(&w, HOME), bare(&w, ELSEWHERE));
        let token = program.token(&home).await;
        let refusals = async |owner: &mut Owner| {
            let mut json = owner.client.clone().header("accept", "application/json");
            let page = json.get("/api/v1/ledger?kind=sign_in_refused&limit=200").await.value();
            let of = |e: &Value| e["entry"]["body"].clone();
            page["entries"].as_array().unwrap().iter().map(of).collect::<Vec<Value>>()
        };
        // A stolen token from elsewhere, again and again.
        for _ in 0..300 {
            let answer = program.call(&elsewhere, "GET", "/api/v1/cases", &token).await;
            assert_eq!(answer.status, 403, "{}", answer.text());
        }
        assert_eq!(refusals(&mut owner).await.len(), 30);
        let told = notices(&mut owner.client).await;
        assert_eq!(told.iter().filter(|kind| *kind == "service_refused").count(), 1, "{told:?}");
        // Forged assertions in the program's own name from its own network.
        let forger = Key::new();
        for _ in 0..300 {
            let assertion = forger.sign(json!({ "alg": "ES256" }), &program.claims(&json!({})));
            let answer = program.exchange(&home, &assertion, "").await;
            assert!([401, 429].contains(&answer.status.as_u16()), "{}", answer.text());
        }
        assert_eq!(refusals(&mut owner).await.len(), 60);
        // Its right assertion and its right token are taken in the midst of it.
        let token = program.token(&home).await;
        assert_eq!(program.call(&home, "GET", "/api/v1/cases?view=active", &token).await.status, 200);
        // After the hour the ledger has the number, and it begins anew.
        program.ahead = 3_700;
        w.pass(3_700);
        owner.again(&w).await;
        let answer = program.call(&elsewhere, "GET", "/api/v1/cases", &token).await;
        assert_eq!(answer.status, 401, "the token is over");
        let assertion = program.assertion(&json!({}));
        refused(&program.exchange(&elsewhere, &assertion, "").await, 403, "service-network");
        let told = refusals(&mut owner).await;
        let counted = told.iter().filter(|b| b["reason"] == "repeated");
        let mut times: Vec<&str> = counted.filter_map(|b| b["times"].as_str()).collect();
        times.sort_unstable();
        assert!(times.contains(&"270"), "{told:?}");
        let newest = told.iter().find(|b| b["reason"] != "repeated").expect("the last refusal");
        assert_eq!(newest["reason"], "other_network");
        verified(&w);
    }

    async fn attack_35_who_knows_no_key_drowns_no_alarm(mut w: Warifu) {
        let mut owner = Owner::new(&mut w).await;
        let program = owner.program(&w, &["cases"]).await;
        let (home, elsewhere) = (bare(&w, HOME), bare(&w, ELSEWHERE));
        let token = program.token(&home).await;
        // A thief lets strangers' forgeries use up what is told one by one, and then comes with the token.
        let forger = Key::new();
        for from in [&elsewhere, &bare(&w, "203.0.113.77"), &bare(&w, "192.0.2.77"), &bare(&w, "192.88.99.7")] {
            for _ in 0..40 {
                let assertion = forger.sign(json!({ "alg": "ES256" }), &program.claims(&json!({})));
                let answer = program.exchange(from, &assertion, "").await;
                assert!([401, 429].contains(&answer.status.as_u16()), "{}", answer.text());
            }
        }
        let told = notices(&mut owner.client).await;
        assert!(!told.iter().any(|kind| kind == "service_refused"), "{told:?}");
        for _ in 0..3 {
            let answer = program.call(&elsewhere, "GET", "/api/v1/cases", &token).await;
            assert_eq!(answer.status, 403, "{}", answer.text());
        }
        let refusals = entries(&mut owner.client, "sign_in_refused").await;
        assert_eq!(refusals[0]["body"]["reason"], "other_network", "{refusals:?}");
        let told = notices(&mut owner.client).await;
        assert_eq!(told.iter().filter(|kind| *kind == "service_refused").count(), 1, "{told:?}");
        verified(&w);
    }

    async fn attack_35_a_proof_holds_once_for_its_request(mut w: Warifu) {
        let mut owner = Owner::new(&mut w).await;
        let program = owner.program(&w, &["cases"]).await;
        let home = bare(&w, HOME);
        let token = program.token(&home).await;
        let path = "/api/v1/cases";
        let proof = program.proof("GET", path, Some(&token), &json!({}));
        assert_eq!(program.with(&home, "GET", path, &token, &proof).await.status, 200);
        let again = program.with(&home, "GET", path, &token, &proof).await;
        refused(&again, 401, "service-proof");
        assert!(again.header("www-authenticate").starts_with("DPoP "));
        assert_eq!(owner.reasons().await, ["jwt_replayed"]);

        let change = |change: Value| program.proof("GET", path, Some(&token), &change);
        let claims = program.proof_claims("GET", path, Some(&token));
        let part = |v: &Value| URL_SAFE_NO_PAD.encode(v.to_string());
        let of = |alg: &str| json!({ "alg": alg, "typ": "dpop+jwt", "jwk": program.proofs.public });
        let shared = EncodingKey::from_secret(program.proofs.public.to_string().as_bytes());
        let header: Header = serde_json::from_value(of("HS256")).unwrap();
        let thief = Program { key: Key::new(), proofs: Key::new(), client: program.client.clone(), base: program.base.clone(), ahead: 0 };
        let good = program.proof("GET", path, Some(&token), &json!({}));
        let (head, signature) = (good.split('.').next().unwrap(), good.rsplit('.').next().unwrap());
        for (proof, reason) in [
            (change(json!({ "htu": format!("{}/api/v1/people", program.base) })), "dpop_request"),
            (change(json!({ "htu": "https://elsewhere.example/api/v1/cases" })), "dpop_request"),
            (change(json!({ "htm": "DELETE" })), "dpop_request"),
            (change(json!({ "ath": "x" })), "dpop_request"),
            (change(json!({ "ath": null })), "dpop_request"),
            (change(json!({ "iat": program.now() - 120 })), "jwt_time"),
            (change(json!({ "iat": program.now() + 120 })), "jwt_time"),
            (change(json!({ "jti": null })), "jwt_malformed"),
            (thief.proof("GET", path, Some(&token), &json!({})), "dpop_key"),
            (format!("{}.{}.", part(&of("none")), part(&claims)), "jwt_malformed"),
            (format!("{}.{}.{signature}", part(&of("none")), part(&claims)), "jwt_malformed"),
            (encode(&header, &claims, &shared).unwrap(), "jwt_malformed"),
            (format!("{head}.{}.{signature}", part(&claims)), "jwt_signature"),
            (String::new(), "jwt_malformed"),
            ("x.y.z".into(), "jwt_malformed"),
        ] {
            refused(&program.with(&home, "GET", path, &token, &proof).await, 401, "service-proof");
            assert_eq!(owner.reasons().await[0], reason, "{proof}");
        }
        // Another token's proof, and no token at all.
        let second = program.token(&home).await;
        let other = program.proof("GET", path, Some(&second), &json!({}));
        refused(&program.with(&home, "GET", path, &token, &other).await, 401, "service-proof");
        for token in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let proof = program.proof("GET", path, Some(token), &json!({}));
            refused(&program.with(&home, "GET", path, token, &proof).await, 401, "service-token");
        }

        // Beyond its scope, and what is for people only.
        for (method, path) in [
            ("GET", "/api/v1/people"),
            ("GET", "/api/v1/ledger"),
            ("GET", "/api/v1/search?q=x"),
            ("GET", "/api/v1/session"),
            ("DELETE", "/api/v1/session"),
            ("GET", "/api/v1/events"),
            ("GET", "/api/v1/passkeys"),
            ("PUT", "/api/v1/people/1/roles"),
            ("GET", "/api/v1/service-accounts"),
            ("POST", "/api/v1/service-accounts"),
        ] {
            refused(&program.call(&home, method, path, &token).await, 403, "service-scope");
        }
        assert_eq!(owner.reasons().await[0], "scope");
        let answer = program.exchange(&home, &program.assertion(&json!({})), "cases ledger:read").await;
        refused(&answer, 403, "service-scope");
        verified(&w);
    }

    async fn attack_35_an_assertion_holds_once_for_this_server(mut w: Warifu) {
        let mut owner = Owner::new(&mut w).await;
        let program = owner.program(&w, &["cases"]).await;
        let home = bare(&w, HOME);
        let once = program.assertion(&json!({}));
        assert_eq!(program.exchange(&home, &once, "").await.status, 200);
        refused(&program.exchange(&home, &once, "").await, 401, "service-client");
        assert_eq!(owner.reasons().await, ["jwt_replayed"]);
        let claims = program.claims(&json!({}));
        let part = |v: &Value| URL_SAFE_NO_PAD.encode(v.to_string());
        let shared = EncodingKey::from_secret(program.key.public.to_string().as_bytes());
        let hs = encode(&Header::new(Algorithm::HS256), &claims, &shared).unwrap();
        for (assertion, reason) in [
            (program.assertion(&json!({ "aud": "https://elsewhere.example/oauth/token" })), "jwt_audience"),
            (program.assertion(&json!({ "aud": [format!("{}/oauth/token", w.base()), "https://elsewhere.example"] })), "jwt_audience"),
            (program.assertion(&json!({ "iss": "svc-2" })), "jwt_audience"),
            (program.assertion(&json!({ "exp": program.now() - 1 })), "jwt_time"),
            (program.assertion(&json!({ "exp": program.now() + 3_600 })), "jwt_time"),
            (program.assertion(&json!({ "exp": null })), "jwt_malformed"),
            (program.assertion(&json!({ "jti": null })), "jwt_malformed"),
            (Key::new().sign(json!({ "alg": "ES256" }), &claims), "jwt_signature"),
            (format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims)), "unknown_client"),
            (hs, "unknown_client"),
            (program.assertion(&json!({ "sub": "svc-99" })), "unknown_client"),
            (program.assertion(&json!({ "sub": "svc--1" })), "unknown_client"),
            (String::new(), "unknown_client"),
        ] {
            refused(&program.exchange(&home, &assertion, "").await, 401, "service-client");
            assert_eq!(owner.reasons().await[0], reason, "{assertion}");
        }
        // Without a proof there is no token that a thief could use.
        let fields = [("grant_type", "client_credentials"), ("client_assertion_type", ASSERTION)];
        let assertion = program.assertion(&json!({}));
        let all = [&fields[..], &[("client_assertion", assertion.as_str())]].concat();
        refused(&home.clone().post_form("/oauth/token", &all).await, 401, "service-proof");
        for grant in ["password", "authorization_code", ""] {
            let answer = home.clone().post_form("/oauth/token", &[("grant_type", grant)]).await;
            refused(&answer, 400, "service-request");
        }
        assert!(home.clone().json(Method::POST, "/oauth/token", &json!({})).await.status.is_client_error());
        verified(&w);
    }

    async fn attack_35_an_account_is_made_for_exactly_this_and_ends(mut w: Warifu) {
        w.clock = true;
        let mut owner = Owner::new(&mut w).await;
        let key = Key::new();
        let wish = wanted(&key, &["cases"]);
        let answer = owner.script().json(Method::POST, "/api/v1/service-accounts", &wish).await;
        refused(&answer, 403, "step-up-required");
        for (member, value) in [
            ("networks", json!("192.0.2.0/24 198.51.100.0/24")),
            ("scopes", json!(["cases", "ledger:read"])),
            ("jwk", json!(Key::new().public.to_string())),
            ("days", json!(365)),
        ] {
            let mut more = wish.clone();
            more[member] = value;
            refused(&owner.ask(more, agreed(&wish)).await, 403, "step-up-required");
        }
        let mut private = key.public.clone();
        private["d"] = "AA".into();
        for (member, value) in [
            ("days", json!(366)),
            ("days", json!(0)),
            ("networks", json!("0.0.0.0/0")),
            ("networks", json!("")),
            ("scopes", json!([])),
            ("scopes", json!(["everything"])),
            ("jwk", json!(private.to_string())),
            ("jwk", json!("{}")),
            ("name", json!(" ")),
        ] {
            let mut wrong = wish.clone();
            wrong[member] = value;
            let agreed = agreed(&wrong);
            refused(&owner.ask(wrong, agreed).await, 422, "invalid");
        }
        // In Japanese, people read no English reason.
        let mut japanese = owner.client.clone().header("accept-language", "ja");
        for (member, value, said) in [
            ("networks", "0.0.0.0/0", "0.0.0.0/0」は広すぎます"),
            ("networks", "somewhere", "somewhere」はネットワークではありません"),
            ("networks", "", "ネットワークを1～20件"),
            ("jwk", "{}", "公開鍵を1つのJWKで"),
            ("jwk", &private.to_string(), "これは秘密鍵です"),
        ] {
            let form = japanese.get("/service-accounts").await.form("action", "/service-accounts");
            let mut filled = vec![("name", "n"), ("scopes", "cases"), ("networks", "192.0.2.0/24"), ("days", "9"), ("jwk", "{}")];
            filled.retain(|(name, _)| *name != member);
            filled.push((member, value));
            let answer = japanese.submit(&form, &filled).await;
            assert_eq!(answer.status, 422, "{member}");
            let problem = answer.text().split("role=\"alert\"").nth(1).expect("what is wrong");
            let problem = problem.split("</div>").next().unwrap_or_default();
            assert!(problem.contains(said), "{problem}");
        }
        let link = invitation(&w, "agent@example.com", "agent");
        let mut agent = w.client().header("x-forwarded-for", "203.0.113.2");
        enter(&mut agent, w.base(), &link).await;
        assert_eq!(agent.get("/service-accounts").await.status, 403);

        // The token is over after ten minutes, the account after its days.
        let mut program = owner.program(&w, &["cases"]).await;
        let page = owner.client.get("/service-accounts").await;
        assert!(page.text().contains("nightly") && page.text().contains("svc-1"), "{}", page.text());
        let home = bare(&w, HOME);
        let token = program.token(&home).await;
        for (ahead, status) in [(590, 200), (610, 401)] {
            w.pass(ahead);
            program.ahead = ahead;
            let answer = program.call(&home, "GET", "/api/v1/cases", &token).await;
            assert_eq!(answer.status, status, "{}", answer.text());
        }
        program.token(&home).await;
        program.ahead = 31 * 86_400;
        w.pass(program.ahead);
        let answer = program.exchange(&home, &program.assertion(&json!({})), "").await;
        refused(&answer, 401, "service-client");
        verified(&w);
    }

    async fn attack_35_a_program_gets_no_role_and_no_invitation(mut w: Warifu) {
        let mut owner = Owner::new(&mut w).await;
        owner.program(&w, &["cases"]).await;
        let account = owner.script().get("/api/v1/service-accounts").await.value()[0]["person"].as_i64().unwrap();
        for role in ["agent", "super_administrator"] {
            let what = json!({ "action": "change_roles", "parameters": { "person": account.to_string(), "role": role } });
            let proof = owner.client.prove(&owner.csrf, what, &mut owner.passkey).await.value()["step_up"].clone();
            let body = json!({ "roles": [role], "step_up": proof });
            let said = owner.script().json(Method::PUT, &format!("/api/v1/people/{account}/roles"), &body).await;
            assert_eq!(said.status, 404, "{}", said.text());
            let form = [("csrf", owner.csrf.as_str()), ("role", role), ("step_up", proof.as_str().unwrap())];
            assert_eq!(owner.client.clone().post_form(&format!("/people/{account}/roles"), &form).await.status, 404);
        }
        let what = json!({ "action": "invite_person", "parameters": { "person": account.to_string() } });
        let proof = owner.client.prove(&owner.csrf, what, &mut owner.passkey).await.value()["step_up"].clone();
        let body = json!({ "step_up": proof });
        let said = owner.script().json(Method::POST, &format!("/api/v1/people/{account}/invitation"), &body).await;
        assert_eq!(said.status, 404, "{}", said.text());
        let told = entries(&mut owner.client, "role_change").await;
        let of_it = json!(account.to_string());
        assert!(told.iter().all(|e| e["body"]["person"] != of_it), "{told:?}");
        verified(&w);
    }
}
