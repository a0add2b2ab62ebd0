## Sign in
sign-in = Sign in
sign-in-for = For agents, administrators and customers.
continue-passkey = Continue with a passkey
continue-passkey-hint = This device, a phone or a security key
sign-in-noscript = A passkey needs JavaScript. Everything else here works without it.
sign-in-limits = { $life } at most, { $idle } idle.
sign-in-network = Tied to its network, { $network }.
sign-in-no-password = There is no password here and no code by phone or message. Whoever asks you for one is not us.
sign-in-about = About Warifu
sign-in-halves = Two halves that must match
sign-in-halves-text = A tally was cut in two. Each side kept a half, and a claim held only when the halves fitted. Here that goes for a passkey and its site, a session and its network, a report and its record.
reference = Reference { $reference }
sign-in-waiting = Waiting for your passkey
sign-in-unsupported = This browser cannot use passkeys. Use a current one.
sign-in-none-title = No passkey for this site on this device
sign-in-none-what = Nothing was sent.
sign-in-none-how = Use the phone or the security key you enrolled. If you have neither, ask an administrator for a new invitation.
sign-in-closed-title = The passkey prompt was closed
sign-in-closed-what = Nothing has changed. Your passkey stays as it was.
sign-in-closed-how = Try again when you are ready.
sign-in-refused-title = This passkey was not accepted
sign-in-refused-what = No session was opened.
sign-in-refused-how = Use another passkey that you enrolled here. If none works, ask an administrator for a new invitation.
sign-in-throttled-title = Too many tries from this network
sign-in-throttled-what = Sign-in from { $detail } is closed for a short while.
sign-in-throttled-how = Wait a few minutes. Other networks are not affected.
sign-in-idle-title = You were away for too long
sign-in-idle-what = The session ended after { $detail } without use.
sign-in-idle-how = Drafts are kept in this browser. Sign in to go on.
sign-in-over-title = Your session has reached its end
sign-in-over-what = A session ends after { $detail } even while in use.
sign-in-over-how = Drafts are kept in this browser. Sign in to go on.
sign-in-moved-title = You are on another network
sign-in-moved-what = Now you come from { $detail }. The session was ended everywhere.
sign-in-moved-how = Sign in again to go on. Drafts are kept in this browser.
sign-in-ended-title = This session was ended
sign-in-ended-what = It was signed out, revoked, or your role changed.
sign-in-ended-how = Sign in again. If you did not expect this, tell your security team.

## Enrol
enrol = Enrol a passkey
enrol-welcome = Welcome, { $name }
enrol-sub = This invitation opens once, for this browser.
enrol-until = It is good until { $time }.
enrol-name = Name of this passkey
enrol-name-hint = So that you can tell it from others, e.g. the blue key.
enrol-button = Enrol this device or key
enrol-button-hint = The browser asks for your finger, face or PIN
enrol-role = You will be: { $role }
enrol-second = Enrol a second one afterwards. With two, a lost key does not lock you out.
enrol-gone-title = This invitation cannot be used
enrol-gone-what = It was used, has expired, or was opened in another browser. Nothing was enrolled.
enrol-gone-how = Ask the person who invited you for a new one.
enrol-failed-title = The passkey was not enrolled
enrol-failed-what = The device did not answer, or its answer did not fit.
enrol-failed-how = Try again, or use another device or key.

## Signed out
signed-out = You are signed out
signed-out-text = The session is closed on this device and on the server.
signed-out-again = Sign in again

## My passkeys
passkeys = My passkeys
passkeys-lead = Each opens your account. Keep two, in different places.
passkeys-one = You have one passkey. If it is lost, only a new invitation from an administrator lets you in. Add a second.
passkeys-added = Added
passkeys-used = Last used
passkeys-kind = Kind
passkeys-synced = Synced between devices
passkeys-bound = Stays on one device
passkeys-never = never
passkeys-this = used for this session
passkeys-remove = Remove { $name }
passkeys-last = The last one cannot be removed
passkeys-add = Add a passkey
passkeys-add-text = It opens your account like the ones you have. That it was added stands in the ledger.
passkeys-actions = Actions

## Active sessions
sessions = Active sessions
sessions-mine = My sessions
sessions-mine-lead = Where you are signed in now. End what you do not know, and tell your administrator.
sessions-who = Person
sessions-device = Device and key
sessions-left = Left of { $life }
sessions-idle = Unused for
sessions-key = { $kind } “{ $name }”
sessions-since = since { $at }
sessions-end-all = End all of theirs
sessions-end-all-of = End all sessions of { $name }
sessions-this = this session
sessions-end = End
sessions-end-of = End the session of { $name } on { $device }
sessions-end-others = End all others
sessions-by-network = By network
sessions-by-asn = Networks are named by their autonomous system. A session holds in one of them only.
sessions-by-prefix = No ASN database is in use: sessions are bound to address prefixes, and whoever moves within a provider signs in again more often. The server takes one with --asn-database.

## What happened to one's own account
notices = Notices
notices-lead = What happened to your account. If it was not you, end your sessions and tell your administrator at once.
notices-none = Nothing has happened
notices-none-text = New passkeys, ended sessions and changed roles stand here.
notices-see = I have seen them
notice-new = New:
notice-session-moved = Your session, opened in { $from }, was used from { $to } and has ended.
notice-session-ended = An administrator ended one of your sessions.
notice-session-recorded = A recording that was sent to a case held your session. It was taken out, and the session has ended.
notice-factor-added = { $name } was added to what you can sign in with.
notice-factor-removed = The passkey { $name } was removed from your account.
notice-roles-changed = Your roles were changed.
notice-key-copied = Somebody tried to sign in with a copy of one of your passkeys. Replace it.
notice-step-up-refused = In a session of yours somebody tried a protected action and could not prove to be you.

## Client certificates
certificate-continue = Continue with a certificate
certificate-continue-hint = A PIV or CAC card, or a certificate of this device
certificate-register = Register a certificate
certificate-name = My card
certificate-label = Name of this certificate
certificate-add = Add a certificate
certificate-add-text = A PIV or CAC card or a certificate of this device. The browser asks which one; it opens your account like a passkey.
certificate-of = Certificate of { $subject }
certificate-until = until { $time }
certificate-proven = Your certificate was accepted
certificate-proven-text = The other window goes on. Close this one.
certificate-refused-title = No certificate was accepted
certificate-refused-what = Nothing was opened or changed.
certificate-refused-how = Put the card in, choose its certificate for signing in, and try again; browsers ask once until they are closed. If it goes on, ask an administrator.

## Service accounts
services = Service accounts
services-lead = Programs that use the API with a key of their own, from networks that are declared here. They get tokens of ten minutes from
services-none = No program has an account
service-may = May
service-from = From networks
service-from-hint = Prefixes like 192.0.2.0/24 or systems like AS64496, with spaces between them.
service-until = Until
service-days = Days until it ends, at most 365
service-key = Public key
service-key-hint = One JWK: EC with P-256 or OKP with Ed25519. The private key stays with the program.
service-new = New service account
service-new-text = It acts in the API alone, within what is chosen here. Making one asks for your passkey.
service-make = Make it
service-revoke = Revoke
service-revoke-of = Revoke { $name }
service-revoked = revoked
service-over = over
list-comma = {", "}
service-scope-cases = Work on cases
service-scope-people-read = Read people and organizations
service-scope-people-change = Change people and organizations
service-scope-search = Search
service-scope-reports = Run reports
service-scope-ledger-read = Read the ledger
notice-service-refused = The service account { $name } was refused: somebody used it from { $from } in a way that is not its own.
