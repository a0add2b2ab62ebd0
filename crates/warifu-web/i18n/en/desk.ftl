## What handlers of the desk say
cases-status = Cases: { $status }
cases-organization = Cases of { $name }
chip-status = Status is { $value }
chip-priority = Priority is { $value }
chip-assignee = Assigned to { $value }
chip-organization = Organization is { $value }
error-no-subject = Write in a few words what it is about.
error-long-subject = This is too long; at most 250 characters are kept.
error-no-text = Write what happened.
error-person = There is no such person. Use their email or user name.
error-text = This text cannot be sent: { $why }
error-arrived = An answer came at { $time }. Yours has not been sent; read it and send again.
priority-low-portal = A question
priority-normal-portal = Something does not work as it should
priority-high-portal = People cannot work
seen-by-staff = People of { $who } who work cases
seen-by-admins = Administrators of your organization
dossier-phone = Phone
dossier-time-zone = Time zone
dossier-people = People
dossier-administrators = Administrators
dossier-times = { $n ->
    [one] { $n } time
   *[other] { $n } times
  }
environment-preview = Preview
environment-production = Production
organization-domain = Domain
field-created = Created
field-last-login = Last sign-in
field-full-name = Full name
field-username = User name
field-email = Email
field-company = Company
field-user-type = User type
field-address = Address
field-password = Last password change or reset
field-role-name = Role: name
field-role-description = Role: description
field-phone = Phone
field-mobile = Mobile
field-time-zone = Time zone
field-saml = SAML federation ID