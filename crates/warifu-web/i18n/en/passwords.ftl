## Sign in with a password and a code
password-sign-in = Sign in with a password
password-for = For customers whose organization allows it.
password-way = Sign in with a password
password-refused-title = Name, password and code do not belong together
password-refused-how = Each code is good once: wait for the next one. If it goes on, ask your administrator for a new invitation.
password-name = E-mail address
password = Password
password-code = Code
password-code-hint = The six digits that your authenticator app shows now.
password-other-way = Sign in another way

## Choosing a password by invitation
password-choose = Set password and codes
password-choose-sub = A passkey is safer and quicker. Where you cannot have one, your organization lets you sign in with a password and a code.
password-choose-way = I cannot use a passkey: set a password
password-scan = Take this picture with an authenticator app.
password-picture = QR code for your authenticator app
password-type-instead = Or type into the app:
password-new = New password
password-new-hint = At least 8 characters of any kind. A few words that do not belong together are best.
password-rather-passkey = Enrol a passkey instead

## One's own password
password-own = Password and codes
password-own-lead = You sign in with a password and a code of your authenticator app. Changing either ends your other sessions.
password-change = Change password
password-kind = Password and codes.
password-current = Current password
password-show = Show password
password-current-refused = Current password and code do not belong together
password-current-how = Nothing was changed. Each code is good once: wait for the next one.
password-changed = Your password was changed. Your other sessions have ended.
codes-change = New codes
codes-change-text = For another authenticator app or a new phone. The codes of before are good for nothing then.
codes-begin = Go on to the new codes
codes-lead = The codes that you have now stay good until the app has shown the first of the new ones.
codes-first = First of the new codes
codes-keep = Use the new codes
codes-leave = Keep the old ones
codes-changed = You sign in with the new codes from now on. Your other sessions have ended.

## What an organization's users may sign in with
access = Sign-in
access-text = What the users of this organization may do beyond passkeys. It never holds for whoever has a role.
access-passwords = Passwords with codes
access-passwords-hint = Less safe: a look-alike site can take both.
access-weaker = Their identity provider, whatever it says
access-weaker-hint = Otherwise only when it says that a passkey, a security key or a smart card was used.
