//! Language and theme of whoever reads, and the frame of pages before sign-in.

use crate::csrf::{self, Form};
use crate::i18n::Lang;
use crate::problem::Problem;
use crate::state::Web;
use crate::views::shell::{Shell, Theme};
use axum::extract::{FromRequestParts, State};
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::convert::Infallible;
use warifu_auth::Token;

const LANG: &str = "warifu-lang";
const THEME: &str = "warifu-theme";
const ZONE: &str = "warifu-zone";
/// A year in seconds.
const YEAR: u32 = 31_536_000;

/// The value of a cookie; the first when there are several.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// A path of this site, for going back to; `/` for everything else. A browser takes `//host` and
/// `/\host` for other sites and drops tabs and line ends, so none of these passes.
pub fn local(path: &str) -> &str {
    let bytes = path.as_bytes();
    let other_site = matches!(bytes, [b'/', b'/' | b'\\', ..]);
    let odd = bytes.iter().any(|b| b.is_ascii_control() || *b == b'\\');
    if path.starts_with('/') && !other_site && !odd && path.len() <= 2_000 { path } else { "/" }
}

/// How whoever asks wants to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taste {
    pub lang: Lang,
    pub theme: Theme,
}

impl Taste {
    /// `?lang=`, then the cookie, then `Accept-Language`.
    pub fn of(query: Option<&str>, headers: &HeaderMap) -> Taste {
        let accepted = || {
            let value = headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
            Lang::negotiate(value.unwrap_or_default())
        };
        let lang = asked(query)
            .or_else(|| cookie(headers, LANG).and_then(Lang::parse))
            .unwrap_or_else(accepted);
        let theme = match cookie(headers, THEME) {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::System,
        };
        Taste { lang, theme }
    }
}

/// The language that the address asks for.
pub fn asked(query: Option<&str>) -> Option<Lang> {
    query?.split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Lang::parse)
}

/// The zone in which a customer reads times: the browser's, which `assets/zone.js` keeps in a
/// cookie, else the one in their record, else UTC. `None` when neither names a zone.
pub fn zone(headers: &HeaderMap, record: Option<&str>) -> Option<TimeZone> {
    let plain = |name: &&str| {
        let char = |b: u8| b.is_ascii_alphanumeric() || b"_+-/".contains(&b);
        name.len() <= 64 && name.bytes().all(char)
    };
    let named = [cookie(headers, ZONE), record].into_iter().flatten();
    named.filter(plain).find_map(|name| TimeZone::get(name).ok())
}

/// The cookie that keeps a language.
pub fn lang_cookie(lang: Lang, secure: bool) -> String {
    keep(LANG, lang.tag(), secure)
}

fn keep(name: &str, value: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax{secure}")
}

/// Somebody who need not be signed in: what a page before sign-in knows.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub taste: Taste,
    /// Path and query of the request.
    pub here: String,
    /// Name of the installation.
    pub installation: String,
    /// Binds the forms of pages before sign-in to this browser.
    pub visit: Token,
    /// Whether the browser has it already; otherwise [`Visitor::welcome`] sets it.
    known: bool,
}

impl Visitor {
    /// The frame of a page before sign-in.
    pub fn shell(&self) -> Shell {
        Shell {
            lang: self.taste.lang,
            theme: self.taste.theme,
            installation: self.installation.clone(),
            csrf: csrf::of_visit(&self.visit),
            here: self.here.clone(),
            ..Shell::default()
        }
    }

    /// A page in a browser that is to be known again when it was closed meanwhile.
    pub fn kept(&self, page: impl IntoResponse) -> Response {
        let mut response = page.into_response();
        if let Ok(value) = HeaderValue::from_str(&csrf::kept_visit_cookie(&self.visit)) {
            response.headers_mut().append(SET_COOKIE, value);
        }
        response
    }

    /// A page with the cookie that its forms need.
    pub fn welcome(&self, page: impl IntoResponse) -> Response {
        let mut response = page.into_response();
        if !self.known
            && let Ok(value) = HeaderValue::from_str(&csrf::visit_cookie(&self.visit))
        {
            response.headers_mut().append(SET_COOKIE, value);
        }
        response
    }
}

impl FromRequestParts<Web> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        let known = csrf::visit(&parts.headers);
        Ok(Visitor {
            taste: Taste::of(parts.uri.query(), &parts.headers),
            here: parts.uri.path_and_query().map(|p| p.to_string()).unwrap_or_default(),
            installation: web.app.config.name.clone(),
            known: known.is_some(),
            visit: known.unwrap_or_else(|| Token::from_random(web.app.random_bytes())),
        })
    }
}

/// Body of `POST /preferences`.
#[derive(Deserialize)]
pub struct Preferences {
    lang: Option<String>,
    theme: Option<String>,
    #[serde(default)]
    back: String,
}

/// `POST /preferences`: language and theme of this browser.
pub async fn preferences(
    State(web): State<Web>,
    form: Form<Preferences>,
) -> Result<Response, Problem> {
    let secure = web.config.secure();
    let mut cookies = Vec::new();
    if let Some(lang) = form.lang.as_deref().and_then(Lang::parse) {
        cookies.push((SET_COOKIE, lang_cookie(lang, secure)));
    }
    if let Some(theme @ ("light" | "dark" | "system")) = form.theme.as_deref() {
        cookies.push((SET_COOKIE, keep(THEME, theme, secure)));
    }
    Ok((AppendHeaders(cookies), Redirect::to(local(&form.back))).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_local() {
        for good in ["/", "/cases?view=mine", "/a//b"] {
            assert_eq!(local(good), good);
        }
        for bad in
            ["", "cases", "//x.example", "/\\x.example", "https://x.example", "/\t/x", "/a\\b"]
        {
            assert_eq!(local(bad), "/", "{bad}");
        }
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("xa=1; a=2; b=3"));
        headers.append(COOKIE, HeaderValue::from_static("c=4"));
        assert_eq!(cookie(&headers, "a"), Some("2"));
        assert_eq!(cookie(&headers, "c"), Some("4"));
        assert_eq!(cookie(&headers, "x"), None);
    }

    #[test]
    fn times_are_the_browsers_then_the_records() {
        let mut headers = HeaderMap::new();
        let name = |h: &HeaderMap, r| zone(h, r).and_then(|z| z.iana_name().map(str::to_owned));
        assert_eq!(name(&headers, None), None);
        assert_eq!(name(&headers, Some("Asia/Tokyo")).as_deref(), Some("Asia/Tokyo"));
        assert_eq!(name(&headers, Some("Tokyo time")), None);
        headers.insert(COOKIE, HeaderValue::from_static("warifu-zone=Europe/Berlin"));
        assert_eq!(name(&headers, Some("Asia/Tokyo")).as_deref(), Some("Europe/Berlin"));
        headers.insert(COOKIE, HeaderValue::from_static("warifu-zone=../../etc/passwd"));
        assert_eq!(name(&headers, None), None);
    }

    #[test]
    fn the_address_wins_over_the_cookie_and_the_browser() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("ja"));
        assert_eq!(Taste::of(None, &headers).lang, Lang::Ja);
        headers.insert(COOKIE, HeaderValue::from_static("warifu-lang=en; warifu-theme=dark"));
        let taste = Taste::of(None, &headers);
        assert_eq!((taste.lang, taste.theme), (Lang::En, Theme::Dark));
        assert_eq!(Taste::of(Some("a=b&lang=ja"), &headers).lang, Lang::Ja);
        assert_eq!(Taste::of(Some("lang=xx"), &headers).lang, Lang::En);
    }
}
