//! Sample data: identity providers, and signing in by them.

use super::samples::{NASTY, gate, shell, trouble};
use crate::i18n::Lang;
use crate::views::identity_providers::*;
use crate::views::markup::Tone;
use crate::views::password::*;
use crate::views::shell::{Flash, Me, Place, Shell};
use crate::views::sign_in::*;
use askama::Template;

fn way(name: &str) -> ProviderWay {
    ProviderWay { href: "/sign-in/oidc/1?next=%2F".into(), name: name.into() }
}

fn sign_in(lang: Lang, kind: SignInTrouble) -> SignIn {
    SignIn {
        shell: gate(lang),
        problem: Some(trouble(lang, kind, "")),
        next: "/".into(),
        lifetime: 43_200,
        idle: 900,
        network: "198.51.100.0/24".into(),
        certificates: false,
        providers: vec![way("Hashira ID"), way(NASTY)],
        password: "/sign-in/password?next=%2F".into(),
    }
}

fn provider(name: &str, organization: &str, enabled: bool) -> Provider {
    Provider {
        id: "1".into(),
        name: name.into(),
        organization: organization.into(),
        issuer: "https://id.example.com".into(),
        client_id: "warifu".into(),
        hosts: "id.example.com, keys.example.com".into(),
        enabled,
    }
}

pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let list = |providers: Vec<Provider>, entered, errors| IdentityProviders {
        shell: shell(lang, Place::Elsewhere),
        providers,
        callback: "https://support.example.com/sign-in/oidc/callback".into(),
        signed_out: "https://support.example.com/signed-out".into(),
        back_channel: "https://support.example.com/oidc/backchannel-logout".into(),
        entered,
        errors,
    };
    let some = vec![provider("Hashira ID", "", true), provider(NASTY, "Alder & Co", false)];
    let entered = Entered { name: NASTY.into(), issuer: "https://x".into(), ..Entered::default() };
    let wrong = ["name", "organization", "issuer", "client_id", "client_secret", "hosts"];
    let wrong = wrong.map(|field| (field.to_owned(), "–".to_owned())).to_vec();
    let signed_out = SignedOut { shell: gate(lang), provider: Some(way(NASTY)) };
    let password = |refused| PasswordSignIn { shell: gate(lang), next: "/".into(), refused };
    let wrong_choice = ["code", "password"].map(|field| (field.to_owned(), "–".to_owned()));
    let choose = |errors: &[(String, String)]| ChoosePassword {
        shell: gate(lang),
        invitation: "inv-1".into(),
        ceremony: "c-1".into(),
        name: NASTY.into(),
        picture: Qr { size: 29, path: "M0 0h1v1h-1zM7 7h1v1h-1z".into() },
        typed: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".into(),
        errors: errors.to_vec(),
    };
    let mut portal = shell(lang, Place::Passkeys);
    portal.me = portal.me.map(|me| Me { password: true, ..me });
    let own = |refused: &str, unfit: bool, flash: Option<Flash>| OwnPassword {
        shell: Shell { flash, ..portal.clone() },
        refused: refused.into(),
        unfit: unfit.then(|| NASTY.into()),
    };
    let changed = Flash { tone: Tone::Ok, text: lang.t("password-changed") };
    let codes = |wrong: bool| NewCodes {
        shell: portal.clone(),
        ceremony: "c-1".into(),
        step_up: "p-1".into(),
        picture: Qr { size: 29, path: "M0 0h1v1h-1zM7 7h1v1h-1z".into() },
        typed: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".into(),
        wrong: wrong.then(|| NASTY.into()),
    };
    let stepped_up = |proof: &str| SteppedUp { shell: gate(lang), proof: proof.into() };
    let render = |page: SignIn| page.render().unwrap();
    vec![
        ("sign-in-provider-refused", render(sign_in(lang, SignInTrouble::ProviderRefused))),
        ("sign-in-provider-down", render(sign_in(lang, SignInTrouble::ProviderDown))),
        ("sign-in-password", password(false).render().unwrap()),
        ("sign-in-password-refused", password(true).render().unwrap()),
        ("enrol-password", choose(&[]).render().unwrap()),
        ("enrol-password-wrong", choose(&wrong_choice).render().unwrap()),
        ("own-password", own("", false, Some(changed)).render().unwrap()),
        ("own-password-refused", own("password", false, None).render().unwrap()),
        ("own-password-unfit", own("codes", true, None).render().unwrap()),
        ("own-codes", codes(false).render().unwrap()),
        ("own-codes-wrong", codes(true).render().unwrap()),
        ("stepped-up", stepped_up("p-1").render().unwrap()),
        ("stepped-up-refused", stepped_up("").render().unwrap()),
        ("signed-out-provider", signed_out.render().unwrap()),
        ("identity-providers", list(some, Entered::default(), Vec::new()).render().unwrap()),
        ("identity-providers-wrong", list(Vec::new(), entered, wrong).render().unwrap()),
    ]
}
