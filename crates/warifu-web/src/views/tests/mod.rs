//! Every page is rendered in every language with sample data, compared with a snapshot, and
//! checked for what a browser, a screen reader and the content security policy need.
//!
//! `WARIFU_PAGES=/some/folder cargo test -p warifu-web pages` also writes the pages as files, with
//! the assets beside them, to look at them in a browser.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod checks;
mod samples;
mod samples_access;
mod samples_accesses;
mod samples_applications;
mod samples_desk;
mod samples_evidence;
mod samples_policy;
mod samples_providers;
mod samples_security;
mod samples_services;
mod samples_verification;
mod samples_way_in;
mod words;

use std::sync::LazyLock;

use crate::assets;
use crate::i18n::Lang;

/// Name and HTML of every page in a language.
fn pages(lang: Lang) -> &'static [(&'static str, String)] {
    static ALL: LazyLock<Vec<Vec<(&'static str, String)>>> = LazyLock::new(|| {
        let render = |lang| {
            let mut all = samples::pages(lang);
            all.extend(samples_desk::pages(lang));
            all.extend(samples_evidence::pages(lang));
            all.extend(samples_access::pages(lang));
            all.extend(samples_policy::pages(lang));
            all.extend(samples_applications::pages(lang));
            all.extend(samples_providers::pages(lang));
            all.extend(samples_verification::pages(lang));
            all.extend(samples_services::pages(lang));
            all.extend(samples_way_in::pages(lang));
            all.extend(samples_security::pages(lang));
            all.extend(samples_accesses::pages(lang));
            all
        };
        Lang::ALL.into_iter().map(render).collect()
    });
    &ALL[lang as usize]
}

#[test]
fn pages_are_as_they_were() {
    for lang in Lang::ALL {
        for (name, html) in pages(lang) {
            // The digest of an asset changes with its content, which is not the page's matter.
            let mut html = html.clone();
            for asset in assets::all() {
                html = html.replace(&asset.url, &format!("/assets/{}", asset.name));
            }
            // The frame is the same around all of them: one page is kept whole, the others from
            // their own part on.
            let own = if *name == "case" { 0 } else { html.find("<main").unwrap_or(0) };
            let end = html.find("</main>").filter(|_| own > 0).unwrap_or(html.len());
            let html: Vec<&str> = html[own..end]
                .lines()
                .map(str::trim_end)
                .filter(|line| !line.trim().is_empty())
                .collect();
            insta::assert_snapshot!(format!("{name}.{}", lang.tag()), html.join("\n"));
        }
    }
}

/// A form that asks for the key is only sent by the script that asks for it.
#[test]
fn pages_that_ask_for_the_key_have_its_script() {
    for (name, html) in Lang::ALL.into_iter().flat_map(|lang| pages(lang)) {
        let asks = html.contains("data-step-up=") || html.contains("data-passkey=");
        assert!(!asks || html.contains("/assets/passkeys."), "{name}");
    }
}

#[test]
fn pages_can_be_looked_at() {
    let Some(folder) = std::env::var_os("WARIFU_PAGES") else { return };
    let folder = std::path::PathBuf::from(folder);
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    for asset in assets::all() {
        std::fs::write(folder.join(asset.url.trim_start_matches('/')), asset.bytes).unwrap();
    }
    for lang in Lang::ALL {
        for (name, html) in pages(lang) {
            std::fs::write(folder.join(format!("{name}.{}.html", lang.tag())), html).unwrap();
        }
    }
}
