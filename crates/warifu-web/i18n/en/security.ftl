## What protects an organization's people, for its administrators
security = Sign-in security
security-of = Sign-in security of { $name }
security-lead = What protects your people when they sign in, and what is coming. Only administrators see this page.
security-now = How it is now
security-session-timeout = A session ends by itself: at its longest time even while in use, and sooner when nobody uses it.
security-network-binding = A session works only in the network in which it was opened. Used from anywhere else, it ends.
security-device-binding = A session works only with the key made on the device at sign-in. A copied cookie is worth nothing.
security-phishing-resistant = Your people sign in only with what a look-alike site cannot take: passkeys, security keys, smart cards, or your identity provider when it says that it used one.
security-holds = On for you
security-open = Not on for you yet
security-chosen = Your organization chose it.
security-chosen-against = { $who } has turned it off for your organization.
security-affected = { $n ->
    [0] Nothing is enforced yet. So far it would have affected none of your people.
    [one] Nothing is enforced yet. So far it would have affected one of your people.
   *[other] Nothing is enforced yet. So far it would have affected { $n } of your people.
}
security-affected-who = { $n ->
    [one] Who that is
   *[other] Who they are
}
security-affected-more = And { $n } more.
security-choose = You can turn it on for your organization now, before its turn.
security-choose-reported = It is only reported at first: nothing is enforced until { $who } says so.
security-choose-passwords = { $n ->
    [one] One of your people signs in with a password and needs a passkey from then on. Their sessions end.
   *[other] { $n } of your people sign in with a password and need a passkey from then on. Their sessions end.
}
security-choose-providers = Your identity provider then has to say that it used a passkey, a security key or a smart card. Sessions that it opened without saying so end.
security-choose-final = You cannot turn it off again. Only { $who } can, and two people there have to agree.
security-choose-do = Turn on for us
security-choose-of = Turn on for us: { $name }
security-coverage = How your people sign in
security-coverage-text = Each person counts once, for the weakest way that they have. A provider counts as safe where it has to say that it used a key.
security-covered = { $covered } of { $n } people sign in only with what cannot be phished
security-keys = Passkeys, security keys, smart cards
security-nothing = Nothing yet
security-people = Who is not safe from phishing yet
security-with = Signs in with
security-access = What they may sign in with
security-always = Always
security-no-provider = None connected
security-weaker = One that does not say how it knew somebody
security-allowed = Allowed
security-not-allowed = Not allowed
security-access-text = Only { $who } can change this. Allowing more takes two people there. It never holds for administrators.
security-limits = Limits that hold
security-users = Users
security-administrators = Administrators
security-networks-text = Only { $who } can change these. Ask them in a case.
security-sessions = Sessions of your people
security-sessions-lead = Who is signed in now. What you end holds no more from that moment on; its owner gets a notice.
factor-passkey = Passkey
factor-certificate = Smart card
factor-oidc = Identity provider
factor-password = Password and code
notice-stage-see = See what holds now
