## Sign in at an identity provider
sign-in-providers = Sign in at your organization
sign-in-with = Continue with { $name }
sign-in-provider-refused-title = This sign-in was not accepted
sign-in-provider-refused-what = Your identity provider did not vouch for you as it has to here, or you were not invited. No session was opened.
sign-in-provider-refused-how = Sign in there with a passkey or a security key. If you did, ask an administrator for an invitation.
sign-in-provider-down-title = Your identity provider does not answer
sign-in-provider-down-what = No session was opened.
sign-in-provider-down-how = Try again in a few minutes, or use a passkey if you have one here.
signed-out-provider = You are being taken to { $name } to sign out there as well.
signed-out-provider-go = Sign out at { $name }

## The list of identity providers
providers = Identity providers
providers-lead = By these, people sign in with the account that their organization gave them.
providers-connected = Connected
providers-rule = Whoever has a role gets in only when the provider says that they used a passkey, a security key or a smart card. Nobody gets in without an invitation.
providers-refused = Your key was not accepted, and nothing was changed.
provider-name = Name
provider-name-hint = The button says: Continue with …
provider-for = For
provider-own = our own people
provider-organization = Customer
provider-organization-hint = The organization's name; empty for our own people.
provider-issuer = Issuer
provider-issuer-hint = As the provider writes it, e.g. https://id.example.com
provider-client = Client ID
provider-secret = Client secret
provider-secret-hint = It is kept encrypted and not shown again.
provider-hosts = Hosts that are asked
provider-further-hosts = Further hosts
provider-hosts-hint = Hosts beside the issuer's, separated by spaces. No other is ever asked.
provider-add = Connect a provider
provider-is-off = off
provider-on = Switch on
provider-off = Switch off
provider-on-of = Switch on { $name }
provider-off-of = Switch off { $name }
provider-remove = Remove
provider-remove-of = Remove { $name }
provider-callback = Redirect URI
provider-signed-out = Redirect after signing out
provider-back-channel = Back-channel logout

## Proving oneself once more at the provider
stepped-up = That was you
stepped-up-close = This window closes by itself. If it does not, close it and go on.
stepped-up-refused = Not accepted
stepped-up-refused-how = Nothing was changed. Close this window and try again with a passkey or a security key.
