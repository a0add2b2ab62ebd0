//! Pages carry no inline script or style (the content security policy would refuse them), and a
//! template, its handler and its URL share a name.

use super::{File, Finding};
use std::collections::BTreeSet;

const TEMPLATES: &str = "crates/warifu-web/templates/";
const HANDLERS: &str = "crates/warifu-web/src/";
/// Folders of templates that are parts of pages, not pages.
const PARTS: &[&str] = &["parts", "layout", "layouts", "icons"];

pub fn check(files: &[File], findings: &mut Vec<Finding>) {
    let paths: BTreeSet<&str> = files.iter().map(|f| f.path.as_str()).collect();
    for file in files {
        if file.extension() == "html" && file.path.contains("/templates/") {
            check_inline(file, findings);
        }
        if let Some(name) = file.path.strip_prefix(TEMPLATES).and_then(|p| p.strip_suffix(".html"))
        {
            check_first_look(file, name, &paths, findings);
        }
    }
}

fn check_first_look(file: &File, name: &str, paths: &BTreeSet<&str>, out: &mut Vec<Finding>) {
    let Some((folder, _)) = name.rsplit_once('/') else { return };
    if folder.split('/').any(|part| PARTS.contains(&part)) {
        return;
    }
    let mut places =
        [format!("{name}.rs"), format!("{folder}.rs"), format!("{folder}/mod.rs")].into_iter();
    if !places.any(|place| paths.contains(format!("{HANDLERS}{place}").as_str())) {
        let message = format!("no handler of this name: expected {HANDLERS}{name}.rs");
        out.push(Finding::warning(&file.path, 0, message));
    }
}

fn check_inline(file: &File, findings: &mut Vec<Finding>) {
    let lower = file.text.to_ascii_lowercase();
    for (at, tag) in tags(&lower) {
        let line = lower[..at].matches('\n').count() + 1;
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
        let attributes: Vec<&str> = attribute_names(tag);
        let mut error = |message: &str| {
            findings.push(Finding::error(&file.path, line, message));
        };
        if name == "style" {
            error("inline <style>: use assets/warifu.css");
        }
        let data = tag.contains("application/json") || tag.contains("application/ld+json");
        if name == "script" && !attributes.contains(&"src") && !data {
            error("inline <script>: use a module in assets/");
        }
        for attribute in attributes {
            if attribute == "style" {
                error("style attribute: use a class");
            } else if attribute.len() > 2 && attribute.starts_with("on") {
                error(&format!("{attribute} attribute: use a module in assets/"));
            }
        }
        if tag.contains("javascript:") {
            error("javascript: address");
        }
    }
}

/// Start position and inside of each opening tag; `>` inside quotes or `{{ }}` does not end it.
fn tags(html: &str) -> impl Iterator<Item = (usize, &str)> {
    html.match_indices('<').filter_map(|(at, _)| {
        let inside = &html[at + 1..];
        if !inside.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let mut quote = None;
        let mut braces = 0_usize;
        for (end, c) in inside.char_indices() {
            match (quote, c) {
                (_, '{') => braces += 1,
                (_, '}') => braces = braces.saturating_sub(1),
                _ if braces > 0 => {}
                (None, '"' | '\'') => quote = Some(c),
                (Some(q), c) if c == q => quote = None,
                (None, '>') => return Some((at, &inside[..end])),
                _ => {}
            }
        }
        None
    })
}

/// Names before `=` outside quotes and template expressions, and names that stand alone.
fn attribute_names(tag: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let (mut quote, mut braces, mut start) = (None, 0_usize, None);
    for (at, c) in tag.char_indices() {
        let plain = quote.is_none() && braces == 0;
        if plain && (c.is_ascii_alphanumeric() || c == '-' || c == ':') {
            start.get_or_insert(at);
            continue;
        }
        if let Some(from) = start.take() {
            names.push(&tag[from..at]);
        }
        match (quote, c) {
            (_, '{') => braces += 1,
            (_, '}') => braces = braces.saturating_sub(1),
            _ if braces > 0 => {}
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if c == q => quote = None,
            _ => {}
        }
    }
    names.extend(start.map(|from| &tag[from..]));
    // The first is the name of the element.
    names.into_iter().skip(1).collect()
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::findings_in;

    fn page(text: &str) -> Vec<String> {
        findings_in("crates/warifu-web/templates/home.html", text)
    }

    #[test]
    fn inline_code_and_style_are_found() {
        assert_eq!(page("<p>\n<script>x()</script>").len(), 1);
        assert_eq!(page("<a class=\"b\" onclick='x()'>").len(), 1);
        assert_eq!(page("<a STYLE='color: red'>").len(), 1);
        assert_eq!(page("<style>p {}</style>").len(), 1);
        assert_eq!(page("<a href='javascript:x()'>").len(), 1);
        assert_eq!(page("<p {% if a > b %}onload=\"x\"{% endif %}>").len(), 1);
    }

    #[test]
    fn what_only_looks_like_it_is_free() {
        assert!(page("<script type=\"module\" src=\"/assets/keys.js\"></script>").is_empty());
        assert!(
            page("<p title=\"on time = style=\" data-on=\"x\">{{ t(\"onclick=\") }}</p>")
                .is_empty()
        );
        assert!(page("<option value=\"{{ on }}\" {% if on %}selected{% endif %}>").is_empty());
    }

    #[test]
    fn a_template_without_a_handler_is_shown() {
        let found = findings_in("crates/warifu-web/templates/cases/reply.html", "");
        assert_eq!(
            found,
            ["0: no handler of this name: expected crates/warifu-web/src/cases/reply.rs"]
        );
        assert!(findings_in("crates/warifu-web/templates/parts/head.html", "").is_empty());
    }
}
