//! Languages: Fluent messages, and numbers, sizes and times as each language writes them.
//!
//! Messages live in `i18n/{en,ja}/*.ftl` and are embedded. A message that does not exist renders
//! as `⟦id⟧`: a page never fails because of a word, and the tests over all pages look for that
//! mark.

use std::fmt::Write as _;
use std::sync::LazyLock;

use askama::filters::Safe;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use intl_memoizer::concurrent::IntlLangMemoizer;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use unic_langid::LanguageIdentifier;
use warifu_domain::{Refusal, Term};

macro_rules! messages {
    ($lang:literal) => {
        [
            include_str!(concat!("../i18n/", $lang, "/shell.ftl")),
            include_str!(concat!("../i18n/", $lang, "/session.ftl")),
            include_str!(concat!("../i18n/", $lang, "/desk.ftl")),
            include_str!(concat!("../i18n/", $lang, "/sign-in.ftl")),
            include_str!(concat!("../i18n/", $lang, "/device.ftl")),
            include_str!(concat!("../i18n/", $lang, "/applications.ftl")),
            include_str!(concat!("../i18n/", $lang, "/identity-providers.ftl")),
            include_str!(concat!("../i18n/", $lang, "/passwords.ftl")),
            include_str!(concat!("../i18n/", $lang, "/verification.ftl")),
            include_str!(concat!("../i18n/", $lang, "/cases.ftl")),
            include_str!(concat!("../i18n/", $lang, "/portal.ftl")),
            include_str!(concat!("../i18n/", $lang, "/accesses.ftl")),
            include_str!(concat!("../i18n/", $lang, "/security.ftl")),
            include_str!(concat!("../i18n/", $lang, "/people.ftl")),
            include_str!(concat!("../i18n/", $lang, "/way-in.ftl")),
            include_str!(concat!("../i18n/", $lang, "/reports.ftl")),
            include_str!(concat!("../i18n/", $lang, "/ledger.ftl")),
            include_str!(concat!("../i18n/", $lang, "/incidents.ftl")),
            include_str!(concat!("../i18n/", $lang, "/evidence.ftl")),
            include_str!(concat!("../i18n/", $lang, "/policy.ftl")),
            include_str!(concat!("../i18n/", $lang, "/errors.ftl")),
        ]
    };
}

type Bundle = FluentBundle<FluentResource>;

static EN: LazyLock<Bundle> = LazyLock::new(|| bundle("en", &messages!("en")));
static JA: LazyLock<Bundle> = LazyLock::new(|| bundle("ja", &messages!("ja")));

/// Refusals by code. English has none: its words stand where a refusal is made.
static REFUSALS_JA: LazyLock<Bundle> =
    LazyLock::new(|| bundle("ja", &[include_str!("../i18n/refusals/ja.ftl")]));

/// Seconds for which an age is told instead of a day.
const RECENT: i64 = 2 * 86_400;

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English
    #[default]
    En,
    /// Japanese
    Ja,
}

impl Lang {
    /// Every language, in the order in which they are offered.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Ja];

    /// BCP 47 tag, for `<html lang>`.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ja => "ja",
        }
    }

    /// The language's name in itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Lang::En => "English",
            Lang::Ja => "日本語",
        }
    }

    /// The language of a tag such as `ja` or `en-GB`; `None` for others.
    pub fn parse(tag: &str) -> Option<Lang> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        Lang::ALL.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// The language that a browser likes best, from `Accept-Language` (RFC 9110 §12.5.4); English
    /// when none of ours is named.
    pub fn negotiate(accept_language: &str) -> Lang {
        let mut best: Option<(Lang, u32)> = None;
        for item in accept_language.split(',') {
            let mut parts = item.split(';');
            let Some(lang) = parts.next().map(str::trim).and_then(Lang::parse) else { continue };
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q=")?.trim().parse::<f32>().ok())
                .unwrap_or(1.0);
            let weight = (weight.clamp(0.0, 1.0) * 1000.0) as u32;
            if weight > 0 && best.is_none_or(|(_, known)| weight > known) {
                best = Some((lang, weight));
            }
        }
        best.map_or(Lang::En, |(lang, _)| lang)
    }

    fn bundle(self) -> &'static Bundle {
        match self {
            Lang::En => &EN,
            Lang::Ja => &JA,
        }
    }

    /// Whether a message exists; the tests use it.
    pub fn knows(self, id: &str) -> bool {
        self.bundle().has_message(id)
    }

    /// A message without arguments.
    pub fn t(self, id: impl AsRef<str>) -> String {
        self.format(id.as_ref(), None)
    }

    /// A message with arguments. Numbers are grouped as the language does.
    pub fn t_args(self, id: impl AsRef<str>, args: &[(&str, &dyn Arg)]) -> String {
        let mut fluent = FluentArgs::with_capacity(args.len());
        for (name, value) in args {
            fluent.set((*name).to_owned(), value.value());
        }
        self.format(id.as_ref(), Some(&fluent))
    }

    /// A message that carries markup (`<b>`, `<code>` …: a test allows no other). The message is
    /// ours and is taken as it is; the arguments are not and are escaped.
    pub fn h_args(self, id: impl AsRef<str>, args: &[(&str, &dyn Arg)]) -> Safe<String> {
        let mut fluent = FluentArgs::with_capacity(args.len());
        for (name, value) in args {
            let value = match value.value() {
                FluentValue::String(text) => FluentValue::from(escape(&text)),
                other => other,
            };
            fluent.set((*name).to_owned(), value);
        }
        Safe(self.format(id.as_ref(), Some(&fluent)))
    }

    /// A refusal in the reader's language; empty when it has words for programs only. Its English
    /// words stand where it is made.
    pub fn refusal(self, refusal: &Refusal) -> String {
        match self {
            Lang::En => refusal.to_string(),
            Lang::Ja if refusal.code().is_empty() => String::new(),
            Lang::Ja => {
                let mut args = FluentArgs::new();
                for (name, value) in refusal.args() {
                    let value = match value {
                        Term::Number(n) => FluentValue::from(*n),
                        Term::Text(text) => FluentValue::from(match *name {
                            "field" | "column" => self.column(text),
                            _ => text.clone(),
                        }),
                    };
                    args.set(*name, value);
                }
                let text = format(&REFUSALS_JA, refusal.code(), Some(&args));
                format!("{}{text}", refusal.place())
            }
        }
    }

    /// A column's name, from its key or its English label; anything else as it is.
    fn column(self, name: &str) -> String {
        let id = format!("column-{}", name.to_lowercase().replace([' ', '_'], "-"));
        if self.knows(&id) { self.t(id) } else { name.to_owned() }
    }

    fn format(self, id: &str, args: Option<&FluentArgs>) -> String {
        format(self.bundle(), id, args)
    }

    /// A whole number with its thousands grouped.
    pub fn n(self, number: i64) -> String {
        group(number)
    }

    /// An exact size; never rounded, because sizes are evidence here.
    pub fn bytes(self, bytes: i64) -> String {
        self.t_args("bytes", &[("n", &bytes)])
    }

    /// A share of 0 to 1 as per cent with at most one decimal.
    pub fn percent(self, share: f64) -> String {
        let tenths = (share * 1000.0).round() / 10.0;
        if (tenths - tenths.trunc()).abs() < f64::EPSILON {
            format!("{tenths:.0}%")
        } else {
            format!("{tenths:.1}%")
        }
    }

    /// `09:34 UTC`; without the zone where it is not UTC (customers see their own time).
    pub fn time(self, at: Timestamp, zone: &TimeZone) -> When {
        self.when(at, zone, "%H:%M")
    }

    /// `28 Sep` or `9月28日`
    pub fn day(self, at: Timestamp, zone: &TimeZone) -> When {
        let zoned = at.to_zoned(zone.clone());
        let format = match self {
            Lang::En => "%-d %b",
            Lang::Ja => "%-m月%-d日",
        };
        When { iso: at.to_string(), text: zoned.strftime(format).to_string() }
    }

    /// `28 Sep 2026` or `2026年9月28日`
    pub fn date(self, at: Timestamp, zone: &TimeZone) -> When {
        let zoned = at.to_zoned(zone.clone());
        let format = match self {
            Lang::En => "%-d %b %Y",
            Lang::Ja => "%Y年%-m月%-d日",
        };
        When { iso: at.to_string(), text: zoned.strftime(format).to_string() }
    }

    /// `28 Sep 2026 15:06:11 UTC` or `2026年9月28日 15:06:11 UTC`
    pub fn date_time(self, at: Timestamp, zone: &TimeZone) -> When {
        let format = match self {
            Lang::En => "%-d %b %Y %H:%M:%S",
            Lang::Ja => "%Y年%-m月%-d日 %H:%M:%S",
        };
        self.when(at, zone, format)
    }

    /// When something in a conversation was said: `09:34 UTC` today, `28 Sep 09:34 UTC` this year,
    /// else with the year.
    pub fn moment(self, at: Timestamp, now: Timestamp, zone: &TimeZone) -> When {
        let (then, today) = (at.to_zoned(zone.clone()).date(), now.to_zoned(zone.clone()).date());
        let format = match (self, then == today, then.year() == today.year()) {
            (_, true, _) => "%H:%M",
            (Lang::En, _, true) => "%-d %b %H:%M",
            (Lang::En, _, false) => "%-d %b %Y %H:%M",
            (Lang::Ja, _, true) => "%-m月%-d日 %H:%M",
            (Lang::Ja, _, false) => "%Y年%-m月%-d日 %H:%M",
        };
        self.when(at, zone, format)
    }

    fn when(self, at: Timestamp, zone: &TimeZone, format: &str) -> When {
        let zoned = at.to_zoned(zone.clone());
        let mut text = zoned.strftime(format).to_string();
        if *zone == TimeZone::UTC || zone.iana_name().is_some_and(|n| n.ends_with("UTC")) {
            text.push_str(" UTC");
        }
        When { iso: at.to_string(), text }
    }

    /// `10 min ago`; from two days on the day itself.
    pub fn ago(self, at: Timestamp, now: Timestamp, zone: &TimeZone) -> When {
        let age = self.age(at, now, zone);
        let seconds = now.as_second() - at.as_second();
        if !(60..RECENT).contains(&seconds) {
            return age;
        }
        When { text: self.t_args("ago", &[("span", &age.text)]), ..age }
    }

    /// `10 min`, for a column that is known to say how long ago; the day itself from two days on,
    /// with the year from another year.
    pub fn age(self, at: Timestamp, now: Timestamp, zone: &TimeZone) -> When {
        let seconds = now.as_second() - at.as_second();
        if seconds >= RECENT {
            let year = |t: Timestamp| t.to_zoned(zone.clone()).year();
            return if year(at) == year(now) { self.day(at, zone) } else { self.date(at, zone) };
        }
        let text = if seconds < 60 { self.t("ago-now") } else { self.span(seconds) };
        When { iso: at.to_string(), text }
    }

    /// A length of time in its two largest units: `9 h 12 min`, `9時間12分`, `14 min`, `8 s`.
    /// Negative lengths count as zero.
    pub fn span(self, seconds: i64) -> String {
        let seconds = seconds.max(0);
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
        let mut parts = [
            ("span-days", days),
            ("span-hours", hours),
            ("span-minutes", minutes),
            ("span-seconds", seconds % 60),
        ]
        .into_iter()
        .skip_while(|(_, n)| *n == 0)
        .take(if seconds >= 3_600 { 2 } else { 1 })
        .filter(|(_, n)| *n > 0)
        .map(|(id, n)| self.t_args(id, &[("n", &n)]));
        let first = parts.next().unwrap_or_else(|| self.t_args("span-seconds", &[("n", &0_i64)]));
        match (parts.next(), self) {
            (Some(second), Lang::En) => format!("{first} {second}"),
            (Some(second), Lang::Ja) => format!("{first}{second}"),
            (None, _) => first,
        }
    }
}

/// An instant for a page: `iso` for `<time datetime>`, `text` already formatted in the language
/// and the zone of whoever reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// RFC 3339, UTC
    pub iso: String,
    /// As people read it
    pub text: String,
}

/// A value for a message.
pub trait Arg {
    /// The value as Fluent takes it.
    fn value(&self) -> FluentValue<'_>;
}

impl<T: Arg + ?Sized> Arg for &T {
    fn value(&self) -> FluentValue<'_> {
        (**self).value()
    }
}
impl Arg for str {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(self)
    }
}
impl Arg for String {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(self.as_str())
    }
}
impl Arg for i64 {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(*self)
    }
}
impl Arg for usize {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(*self)
    }
}

fn format(bundle: &Bundle, id: &str, args: Option<&FluentArgs>) -> String {
    let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
        return format!("⟦{id}⟧");
    };
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, args, &mut errors);
    if errors.is_empty() { text.into_owned() } else { format!("⟦{id}⟧ {text}") }
}

fn bundle(tag: &str, sources: &[&str]) -> Bundle {
    let locale: LanguageIdentifier = tag.parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![locale]);
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(number));
    for source in sources {
        // Both languages are parsed by a test; what cannot be parsed here leaves its messages
        // missing, which every page shows as ⟦id⟧.
        let resource = match FluentResource::try_new((*source).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        let _duplicates = bundle.add_resource(resource);
    }
    bundle
}

fn number(value: &FluentValue, _: &IntlLangMemoizer) -> Option<String> {
    match value {
        FluentValue::Number(number) if number.value.fract() == 0.0 => {
            Some(group(number.value as i64))
        }
        _ => None,
    }
}

fn group(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 3);
    if number < 0 {
        text.push('−');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Escapes text for HTML content and quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => {
                let _infallible = out.write_char(c);
            }
        }
    }
    out
}

#[cfg(test)]
#[path = "i18n/tests.rs"]
mod tests;
