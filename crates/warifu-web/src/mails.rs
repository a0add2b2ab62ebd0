//! Notices as mails, in every language of the pages, one under the other: whoever is robbed is the first
//! to know, and reads it in their own. A mail has no link that signs anybody in.

use crate::i18n::Lang;
use crate::state::Web;
use jiff::tz::TimeZone;
use warifu_app::signals::DueMail;

/// Subject and text of a notice's mail.
pub fn words(web: &Web, mail: &DueMail) -> (String, String) {
    let origin = web.config.origin_text();
    let stop = web.app.stop_path_of(mail.kind, &mail.details);
    let subjects = Lang::ALL.map(|lang| lang.t("mail-subject")).join(" / ");
    let subject = format!("[{}] {subjects}", web.app.config.name);
    let part = |lang: Lang| {
        let at = lang.date_time(mail.at.to_jiff(), &TimeZone::UTC).text;
        let what =
            crate::account::notices::sentence(lang, &TimeZone::UTC, mail.kind, &mail.details);
        // A stage is nothing that somebody else might have done in their name: it leads to what it changed.
        let foot = match crate::account::notices::page_of(mail.kind, mail.roles) {
            Some(path) => lang.t_args("mail-stage", &[("address", &format!("{origin}{path}"))]),
            None => lang.t_args("mail-foot", &[("address", &format!("{origin}/account/notices"))]),
        };
        let stop = stop.as_deref().map(|path| {
            lang.t_args("mail-stop", &[("address", &format!("{origin}{path}"))]) + "\n"
        });
        format!("{what}\n{at}\n{}\n{foot}\n", stop.unwrap_or_default())
    };
    (subject, Lang::ALL.map(part).join("\n———\n\n"))
}
