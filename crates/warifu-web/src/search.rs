//! `/search`, the command palette, and the list of shortcuts.

use crate::cases::show::{Show, status};
use crate::page::{Leaving, Shown, gated, page};
use crate::problem::Problem;
use crate::session::{SignedIn, Staff};
use crate::state::Web;
use crate::views::cases::{Hit, Palette, PaletteGroup, Search, Shortcuts};
use crate::views::markup::Highlighted;
use crate::views::shell::Place;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;
use warifu_app::search::Found;
use warifu_domain::search::folded;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
}

/// Hits of one kind on the page, and in the palette.
const PAGE: usize = 20;
const PALETTE: usize = 6;

pub async fn search(
    State(web): State<Web>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let found = web.app.search(who.actor(), &asked.q, PAGE).await?;
    if let Some(id) = found.jump {
        let portal = if who.actor().is_staff() { "" } else { "/portal" };
        let reference = web.app.case_reference(id);
        return Ok(Redirect::to(&format!("{portal}/cases/{reference}")).into_response());
    }
    let (cases, people, organizations) = hits(&web, &who, &asked.q, &found);
    let shell = who.shell(Place::Elsewhere, "").await?;
    let leaving = leaving("/search", &asked.q, &found);
    let view = Search { shell, q: asked.q, cases, people, organizations, more: found.more };
    shown(&web, &who, leaving, view).await
}

pub async fn palette(
    State(web): State<Web>,
    mut who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    // It is a part of other pages: where the key is asked for, the way goes on with the search's own.
    who.here = who.here.replacen("/palette", "/search", 1);
    let found = web.app.search(who.actor(), &asked.q, PALETTE).await?;
    let (cases, people, organizations) = hits(&web, &who, &asked.q, &found);
    let lang = who.taste.lang;
    let groups = [("cases", cases), ("people", people), ("organizations", organizations)]
        .into_iter()
        .filter(|(_, hits)| !hits.is_empty())
        .map(|(title, hits)| PaletteGroup { title: lang.t(title), hits })
        .collect();
    let view = Palette { shell: who.shell(Place::Elsewhere, "").await?, groups };
    shown(&web, &who, leaving("/palette", &asked.q, &found), view).await
}

fn leaving<'a>(route: &'a str, q: &str, found: &Found) -> Leaving<'a> {
    let ids = found.cases.iter().map(|c| c.id.0);
    let ids = ids.chain(found.people.iter().map(|p| p.id.0));
    Leaving {
        route,
        organization: None,
        query: json!({ "q": q }),
        ids: ids.chain(found.organizations.iter().map(|(id, _)| id.0)).collect(),
        shown: Shown::people(found.people.iter().map(|p| p.id.0))
            .and_cases(found.cases.iter().map(|c| c.id.0)),
    }
}

/// A search that was asked is recorded, also when it found nothing; the empty form is not.
async fn shown(
    web: &Web,
    who: &SignedIn,
    leaving: Leaving<'_>,
    view: impl askama::Template,
) -> Result<Response, Problem> {
    if leaving.query["q"] == "" && leaving.ids.is_empty() {
        return page(view);
    }
    gated(web, who, StatusCode::OK, leaving, view).await
}

pub async fn shortcuts(who: Staff) -> Result<Response, Problem> {
    page(Shortcuts { shell: who.shell(Place::Elsewhere, "").await? })
}

/// Marks the words that were asked for where they stand in a text.
fn marked(text: &str, q: &str) -> Highlighted {
    // Folding keeps one character per character but may change how many bytes each has.
    let chars: Vec<char> = text.chars().collect();
    let plain: Vec<char> =
        chars.iter().map(|c| folded(&c.to_string()).chars().next().unwrap_or(*c)).collect();
    let words: Vec<Vec<char>> = folded(q).split_whitespace().map(|w| w.chars().collect()).collect();
    let mut on = vec![false; chars.len()];
    for word in words.iter().filter(|w| !w.is_empty()) {
        for start in 0..plain.len() {
            if plain[start..].starts_with(word) {
                on[start..start + word.len()].fill(true);
            }
        }
    }
    let mut out: Vec<(String, bool)> = Vec::new();
    for (c, on) in chars.into_iter().zip(on) {
        match out.last_mut() {
            Some((text, same)) if *same == on => text.push(c),
            _ => out.push((c.to_string(), on)),
        }
    }
    Highlighted(out)
}

fn hits(web: &Web, who: &SignedIn, q: &str, found: &Found) -> (Vec<Hit>, Vec<Hit>, Vec<Hit>) {
    let show = Show::to(web, who);
    let staff = who.actor().is_staff();
    let name = |id| found.names.get(&id).map_or("", String::as_str);
    let cases = found.cases.iter().map(|c| {
        let reference = web.app.case_reference(c.id);
        let portal = if staff { "" } else { "/portal" };
        Hit {
            href: format!("{portal}/cases/{reference}"),
            icon: status(c.status).icon(),
            title: marked(&c.subject, q),
            sub: Highlighted::plain(format!("{reference} · {}", name(c.organization))),
            end: show.ago(c.updated_at).text,
            ..Hit::default()
        }
    });
    let people = found.people.iter().map(|p| Hit {
        href: format!("/people/{}", p.id),
        icon: "user",
        title: marked(p.record.display_name(), q),
        sub: marked(p.record.email.as_deref().unwrap_or_default(), q),
        end: name(p.organization).to_owned(),
        ..Hit::default()
    });
    let organizations = found.organizations.iter().map(|(id, o)| Hit {
        href: format!("/organizations/{id}"),
        icon: "globe",
        title: marked(&o.name, q),
        sub: marked(&o.domain, q),
        ..Hit::default()
    });
    // Customers have no page of a person.
    let people = if staff { people.collect() } else { Vec::new() };
    (cases.collect(), people, organizations.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_marked_where_they_stand() {
        let parts = |text, q| marked(text, q).0;
        assert_eq!(
            parts("ＳＡＭＬ証明書の更新", "saml 更新"),
            [("ＳＡＭＬ".into(), true), ("証明書の".into(), false), ("更新".into(), true)]
        );
        assert_eq!(parts("abc", ""), [("abc".into(), false)]);
        assert!(parts("", "x").is_empty());
    }
}
