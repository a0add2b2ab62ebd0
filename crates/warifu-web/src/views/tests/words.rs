//! Messages: all there in every language, none unused, and no text in a template that is not one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::i18n::Lang;

fn files(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), extension, &mut found);
    assert!(!found.is_empty(), "{folder}");
    found
}

fn ids(lang: Lang) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for (path, text) in files(&format!("i18n/{}", lang.tag()), "ftl") {
        for line in text.lines() {
            let id: String = line
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')
                .collect();
            if !id.is_empty() && line.get(id.len()..).is_some_and(|rest| rest.starts_with(" =")) {
                assert!(ids.insert(id.clone()), "{id} is there twice, {}", path.display());
            }
        }
    }
    ids
}

#[test]
fn every_language_has_every_message_and_can_parse_it() {
    let english = ids(Lang::En);
    assert!(english.len() > 300, "{}", english.len());
    for lang in Lang::ALL {
        assert_eq!(ids(lang), english, "{}", lang.tag());
        for id in &english {
            assert!(lang.knows(id), "{id} cannot be parsed in {}", lang.tag());
        }
        for (path, text) in files(&format!("i18n/{}", lang.tag()), "ftl") {
            assert!(
                fluent_bundle::FluentResource::try_new(text).is_ok(),
                "{} cannot be parsed",
                path.display()
            );
        }
    }
}

#[test]
fn both_languages_use_the_same_arguments() {
    let arguments = |lang: Lang| -> Vec<(String, BTreeSet<String>)> {
        let mut all = Vec::new();
        let mut text: Vec<(PathBuf, String)> = files(&format!("i18n/{}", lang.tag()), "ftl");
        text.sort();
        for (_, text) in text {
            for line in text.lines() {
                if let Some((id, _)) = line.split_once(" = ")
                    && !line.starts_with(' ')
                {
                    all.push((id.to_owned(), BTreeSet::new()));
                }
                for part in line.split('$').skip(1) {
                    let name = part.chars().take_while(char::is_ascii_alphanumeric).collect();
                    if let Some((_, names)) = all.last_mut() {
                        names.insert(name);
                    }
                }
            }
        }
        all
    };
    assert_eq!(arguments(Lang::En), arguments(Lang::Ja));
}

#[test]
fn messages_carry_no_markup_but_what_is_meant() {
    for lang in Lang::ALL {
        for (path, text) in files(&format!("i18n/{}", lang.tag()), "ftl") {
            let rest = ["<b>", "</b>", "<code>", "</code>"]
                .iter()
                .fold(text, |text, tag| text.replace(tag, ""));
            assert!(
                !rest.contains(['<', '>'].as_slice())
                    || !rest.replace("->", "").contains(['<', '>']),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn no_message_is_unused() {
    let mut sources = String::new();
    for (_, text) in files("templates", "html") {
        sources.push_str(&text);
    }
    for (path, text) in files("src", "rs") {
        if !path.components().any(|c| c.as_os_str() == "tests") {
            sources.push_str(&text);
        }
    }
    // Ids that are put together: `t(format!("view-{name}"))` uses every id of that shape.
    let made: Vec<(&str, &str)> = sources
        .split("t(format!(\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"')?.0.split_once('{'))
        .filter_map(|(before, rest)| Some((before, rest.split_once('}')?.1)))
        .collect();
    let named = |id: &String| sources.contains(&format!("\"{id}\""));
    let shaped = |id: &String| made.iter().any(|(a, b)| id.starts_with(a) && id.ends_with(b));
    let unused: Vec<String> =
        ids(Lang::En).into_iter().filter(|id| !named(id) && !shaped(id)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_message_that_a_template_names_exists() {
    let known = ids(Lang::En);
    for (path, text) in files("templates", "html") {
        for call in [".t(\"", ".t1(\"", ".t2(\"", ".h(\"", ".h1(\"", ".h2(\""] {
            for rest in text.split(call).skip(1) {
                let id = rest.split('"').next().unwrap();
                assert!(known.contains(id), "{id} in {}", path.display());
            }
        }
    }
}

/// What may stand in a template without being a message: names and keys that no language changes.
const SAME_EVERYWHERE: [&str; 24] = [
    "Warifu", "Ctrl", "K", "J", "Esc", "C", "R", "N", "A", "S", "E", "G", "L", "F", "↵", "↑", "↓",
    "/", ",", "·", "–", "?", "!", ":",
];

#[test]
fn templates_carry_no_text_of_their_own() {
    for (path, text) in files("templates", "html") {
        let bare = without(&without(&without(&text, "{#", "#}"), "{%", "%}"), "{{", "}}");
        for attribute in ["aria-label", "title", "placeholder", "alt", "data-th", "data-done"] {
            for rest in bare.split(&format!(" {attribute}=\"")).skip(1) {
                let value = rest.split('"').next().unwrap();
                assert!(value.trim().is_empty(), "{attribute}={value} in {}", path.display());
            }
        }
        let code = ["code", "style", "script"]
            .iter()
            .fold(bare, |text, tag| without(&text, &format!("<{tag}>"), &format!("</{tag}>")));
        let words = without(&code, "<", ">");
        for word in words.split_whitespace() {
            let parts = word.split(',').filter(|part| !part.is_empty());
            for part in parts {
                assert!(
                    SAME_EVERYWHERE.contains(&part) || !part.chars().any(char::is_alphanumeric),
                    "“{part}” in {} is no message",
                    path.display()
                );
            }
        }
    }
}

/// The text without what stands between two marks, which may be quoted inside a tag.
fn without(text: &str, begin: &str, end: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(begin) {
        out.push_str(before);
        // A space keeps words apart, but not inside an attribute that is empty then.
        match after.split_once(end) {
            Some((_, after)) => rest = after,
            None => rest = "",
        }
    }
    out.push_str(rest);
    out
}
