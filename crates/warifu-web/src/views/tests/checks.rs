//! What every page must be: well formed, without style or script of its own, usable.

use std::collections::BTreeSet;

use scraper::{ElementRef, Html, Selector};

use super::pages;
use crate::assets;
use crate::i18n::Lang;

fn select<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

#[test]
fn every_page_is_sound() {
    for lang in Lang::ALL {
        for (name, html) in pages(lang) {
            if *name == "palette" {
                // The one fragment; the rest are whole pages.
                continue;
            }
            let page = Html::parse_document(html);
            let name = format!("{name}.{}", lang.tag());
            for check in [
                no_message_is_missing,
                pages_need_no_exception_from_the_security_policy,
                ids_are_unique_and_references_lead_somewhere,
                one_heading_one_main_and_headings_in_order,
                controls_have_names,
                forms_that_change_something_carry_the_token,
                tables_name_their_columns,
                instants_are_machine_readable,
                pages_are_well_formed,
                icons_exist,
                what_people_wrote_never_becomes_markup,
            ] {
                check(&name, &page, html);
            }
        }
    }
}

fn pages_are_well_formed(name: &str, page: &Html, _: &str) {
    assert!(page.errors.is_empty(), "{name}: {:?}", page.errors);
}

fn no_message_is_missing(name: &str, _: &Html, html: &str) {
    if let Some(at) = html.find('⟦') {
        panic!("{name}: {}", html[at..].chars().take(60).collect::<String>());
    }
}

fn pages_need_no_exception_from_the_security_policy(name: &str, page: &Html, html: &str) {
    for element in select(page, "*") {
        for (attribute, _) in element.value().attrs() {
            assert!(attribute != "style" && !attribute.starts_with("on"), "{name}: {attribute}");
        }
    }
    assert!(select(page, "style").is_empty(), "{name}");
    for script in select(page, "script") {
        let src = script.value().attr("src").unwrap_or_default();
        assert!(assets::at(src).is_some(), "{name}: script {src}");
        assert_eq!(script.value().attr("type"), Some("module"), "{name}");
        assert!(script.text().all(|text| text.trim().is_empty()), "{name}");
    }
    assert!(!html.contains("javascript:") && !html.contains("data:"), "{name}");
    for link in select(page, "link[href], use[href]") {
        let href = link.value().attr("href").unwrap_or_default();
        let file = href.split('#').next().unwrap_or(href);
        assert!(assets::at(file).is_some(), "{name}: {href}");
    }
}

fn icons_exist(name: &str, page: &Html, _: &str) {
    let sprite = assets::all().iter().find(|asset| asset.name == "icons.svg").unwrap();
    let sprite = std::str::from_utf8(sprite.bytes).unwrap();
    for icon in select(page, "use[href]") {
        let id = icon.value().attr("href").unwrap().split('#').next_back().unwrap();
        assert!(sprite.contains(&format!("id=\"{id}\"")), "{name}: {id}");
    }
}

fn ids_are_unique_and_references_lead_somewhere(name: &str, page: &Html, _: &str) {
    let mut ids = BTreeSet::new();
    for element in select(page, "[id]") {
        let id = element.value().id().unwrap();
        assert!(ids.insert(id.to_owned()), "{name}: {id} twice");
    }
    for attribute in ["for", "aria-labelledby", "aria-describedby", "popovertarget", "form"] {
        for element in select(page, &format!("[{attribute}]")) {
            for id in element.value().attr(attribute).unwrap().split_whitespace() {
                assert!(ids.contains(id), "{name}: {attribute}={id}");
            }
        }
    }
    for link in select(page, "a[href^='#']") {
        let id = link.value().attr("href").unwrap().trim_start_matches('#');
        assert!(ids.contains(id), "{name}: #{id}");
    }
}

fn one_heading_one_main_and_headings_in_order(name: &str, page: &Html, _: &str) {
    assert_eq!(select(page, "h1").len(), 1, "{name}: h1");
    assert_eq!(select(page, "main").len(), 1, "{name}: main");
    let main = select(page, "main").remove(0);
    let mut level = 1;
    for heading in main.select(&Selector::parse("h1, h2, h3, h4").unwrap()) {
        let this: usize = heading.value().name()[1..].parse().unwrap();
        // The list of cases stands before the case that is the page's subject.
        assert!(this <= level + 1, "{name}: h{this} after h{level}: {}", heading.html());
        level = this;
    }
    let root = page.root_element();
    assert!(root.value().attr("lang").is_some(), "{name}: lang");
    assert!(!select(page, "title").remove(0).text().collect::<String>().starts_with(" –"));
}

fn controls_have_names(name: &str, page: &Html, _: &str) {
    let labelled: BTreeSet<&str> =
        select(page, "label[for]").iter().filter_map(|label| label.value().attr("for")).collect();
    for control in select(page, "input, select, textarea") {
        let value = control.value();
        if matches!(value.attr("type"), Some("hidden" | "submit")) {
            continue;
        }
        let named = value.attr("aria-label").is_some_and(|label| !label.is_empty())
            || value.id().is_some_and(|id| labelled.contains(id))
            || control
                .ancestors()
                .filter_map(ElementRef::wrap)
                .any(|e| e.value().name() == "label");
        assert!(named, "{name}: {}", control.html());
    }
    for button in select(page, "button, a[href], summary") {
        let text: String = button.text().collect();
        let named = !text.trim().is_empty()
            || button.value().attr("aria-label").is_some_and(|label| !label.is_empty());
        assert!(named, "{name}: {}", button.html());
    }
    for button in select(page, "button") {
        assert!(button.value().attr("type").is_some(), "{name}: {}", button.html());
    }
    for image in select(page, "svg") {
        let hidden = std::iter::once(image)
            .chain(image.ancestors().filter_map(ElementRef::wrap))
            .any(|element| element.value().attr("aria-hidden") == Some("true"));
        let titled = image.value().attr("role") == Some("img")
            && image.select(&Selector::parse("title").unwrap()).next().is_some();
        assert!(hidden || titled, "{name}: {}", image.html());
    }
    for scroll in select(page, ".scroll, .source") {
        assert!(scroll.value().attr("aria-label").is_some(), "{name}: {}", scroll.html());
        assert_eq!(scroll.value().attr("tabindex"), Some("0"), "{name}");
    }
}

fn forms_that_change_something_carry_the_token(name: &str, page: &Html, _: &str) {
    for form in select(page, "form") {
        if form.value().attr("method") != Some("post") {
            continue;
        }
        let tokens = form.select(&Selector::parse("input[name=csrf]").unwrap()).count();
        assert_eq!(tokens, 1, "{name}: {}", form.value().attr("action").unwrap_or_default());
        let files = form.select(&Selector::parse("input[type=file]").unwrap()).count();
        let multipart = form.value().attr("enctype") == Some("multipart/form-data");
        assert_eq!(files > 0, multipart, "{name}: {:?}", form.value().attr("action"));
    }
}

fn tables_name_their_columns(name: &str, page: &Html, _: &str) {
    for table in select(page, "table") {
        for th in table.select(&Selector::parse("th").unwrap()) {
            assert!(th.value().attr("scope").is_some(), "{name}: {}", th.html());
        }
    }
}

fn instants_are_machine_readable(name: &str, page: &Html, _: &str) {
    for time in select(page, "time") {
        let iso = time.value().attr("datetime").unwrap_or_default();
        assert!(iso.parse::<jiff::Timestamp>().is_ok(), "{name}: {iso}");
    }
}

fn what_people_wrote_never_becomes_markup(name: &str, page: &Html, html: &str) {
    assert!(!html.contains("<script>"), "{name}");
    assert!(select(page, "img").is_empty(), "{name}");
}

#[test]
fn the_samples_carry_what_could_become_markup() {
    // In a subject, a name, a message and a file name.
    let planted = pages(Lang::En)
        .iter()
        .filter(|(_, html)| html.contains("&#60;script&#62;") || html.contains("&lt;script&gt;"))
        .count();
    assert!(planted >= 4, "{planted}");
}
