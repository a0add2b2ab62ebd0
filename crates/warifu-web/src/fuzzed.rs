//! Headers and forms that are read here, fed as long as `WARIFU_FUZZ_SECONDS` says; the parsers of the crates
//! below are in `fuzz/tests/`.

use crate::i18n::Lang;
use crate::lang::{cookie, local};
use crate::openid::token::basic;
use crate::reports::draft::Draft;
use crate::service::{proof_of, token_of};
use axum::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, COOKIE, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::{Url, form_urlencoded};
use warifu_fuzz::{fuzz, inputs};

const DPOP: HeaderName = HeaderName::from_static("dpop");

#[test]
fn fuzzed_headers() {
    let basic_auth = format!("Basic {}", STANDARD.encode("id:s%3Ae+c"));
    let valid = [
        "__Host-warifu=abc; __Host-warifu-device=\"d\"; lang=ja",
        "ja-JP,ja;q=0.9,en;q=0.8",
        "\"proof.of.key\"",
        "DPoP token",
        basic_auth.as_str(),
        "/cases?view=active#x",
        "//evil.example",
    ];
    let words = [
        ";",
        "=",
        "; ",
        "\"",
        "\\",
        "__Host-warifu=",
        ",",
        "q=",
        "q=NaN",
        "q=-1",
        "q=1e9",
        "//",
        "/\\",
        "Basic ",
        ":",
    ];
    fuzz("headers", inputs(&valid, &words), |input| {
        let text = input.text();
        // Where a browser goes from a page of this site.
        let here = Url::parse("https://desk.example/sign-in").unwrap();
        let to = here.join(local(&text)).expect("a path");
        assert_eq!(to.origin(), here.origin(), "{text} leads to another site");
        assert!(local(&text) == text || local(&text) == "/");
        let Ok(value) = HeaderValue::from_bytes(&input.0) else { return };
        let mut headers = HeaderMap::new();
        for name in [COOKIE, ACCEPT_LANGUAGE, AUTHORIZATION, DPOP] {
            headers.insert(name, value.clone());
        }
        let shown = value.to_str().ok();
        let found = cookie(&headers, "__Host-warifu");
        let mut pairs =
            shown.into_iter().flat_map(|t| t.split(';')).filter_map(|p| p.trim().split_once('='));
        assert_eq!(found, pairs.find(|(name, _)| *name == "__Host-warifu").map(|(_, value)| value));
        let lang = Lang::negotiate(shown.unwrap_or_default());
        assert!(lang == Lang::En || shown.is_some_and(|t| t.to_ascii_lowercase().contains("ja")));
        if let Some(read) = crate::device::text(&headers, &DPOP) {
            assert!(shown.is_some_and(
                |t| t.contains(read) && t.len() <= read.len() + 2 + (t.len() - t.trim().len())
            ));
        }
        if let Some(token) = token_of(&headers) {
            assert!(shown.is_some_and(
                |t| t.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("dpop"))
                    && t.ends_with(token)
                    || t.trim_end().ends_with(token)
            ));
        }
        assert_eq!(proof_of(&headers), shown.unwrap_or_default());
        headers.append(DPOP, value.clone());
        assert_eq!(proof_of(&headers), "", "one of two");
        if let Ok(Some((name, secret))) = basic(&headers) {
            let form = |t: &str| form_urlencoded::byte_serialize(t.as_bytes()).collect::<String>();
            let written =
                format!("Basic {}", STANDARD.encode(format!("{}:{}", form(&name), form(&secret))));
            headers.insert(AUTHORIZATION, HeaderValue::from_str(&written).unwrap());
            assert_eq!(basic(&headers), Ok(Some((name, secret))), "what is written is read");
        }
    });
}

#[test]
fn fuzzed_forms_of_reports() {
    let valid = [
        "do=run&subject=people&name=All&column=id&column=email&g.0=all&c.0.0=email&o.0.0=contains&v.0.0=%40example.com&order.0=id&direction.0=desc&limit=10",
        "do=preview&subject=cases&column=number&g.0=any&g.0.1=all&c.0.1.0=status&o.0.1.0=equals&v.0.1.0=open&delimiter=semicolon&bom=on",
    ];
    let words = [
        "&",
        "=",
        "g.0.0.0.0.0.0.0.0=all",
        "c.4294967296=x",
        "order.99999999999=id",
        "%00",
        "&column=id",
        ".",
        "v.0.0=",
    ];
    fuzz("forms of reports", inputs(&valid, &words), |input| {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(&input.0).into_owned().collect();
        let (draft, _) = Draft::read(&pairs);
        if let Ok(definition) = draft.definition() {
            let again = Draft::of(&definition).expect("a form shows what it made");
            assert_eq!(again.definition().ok(), Some(definition), "what is shown is read");
        }
    });
}
