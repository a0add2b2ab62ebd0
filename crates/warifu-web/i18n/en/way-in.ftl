## Letting people in and out
way-in = Way in
way-in-text = What this person can sign in with now.
way-in-none = No factor yet
way-in-lost = No factor any more
way-in-off-now = Switched off
way-in-factors = { $n ->
    [one] { $n } factor
   *[other] { $n } factors
  }
way-in-open = Invitation
way-in-open-by = open until <b>{ $time }</b>, made by { $by };
way-in-open-console = open until <b>{ $time }</b>, made by the desk’s check or on the server’s console;
way-in-opened = a browser has opened it, and no other can.
way-in-unopened = nobody has opened it yet.
way-in-check = This person has or had a factor. A new way in takes a check of the help desk.
way-in-withdraw = Withdraw the invitation
way-in-invite = Invite
way-in-invite-text = Makes a one-time link with which they add their first passkey. You hand it over yourself: it is shown once.
way-in-invite-again = The link that is open now ends.
way-in-off = Switch off
way-in-off-text = Ends every session of theirs at once, in applications too, their open invitation and any check of the desk. They cannot sign in, and programs of theirs stop, until somebody switches them on again.
way-in-on = Switch on again
way-in-on-text = They can sign in again with the factors that they have. Every super administrator is told.
invited-title = Invitation for { $name }
invited-once = This link is shown this once. Whoever opens it first can sign in as this person.
invited-link = One-time link
invited-until = It holds for 24 hours, until { $time }, and works once.
invited-copy = Copy the link
invited-copied = The link was copied
invited-hand = Hand it over personally, face to face or in a call in which you know them. Not by mail or chat.
invited-first = It works only in the browser that opens it first. If they find it used, it was somebody else: switch the account off.
invited-done = I have handed it over
colleague-new = New colleague
colleague-add = Add and invite
colleague-text = Adds a person to your own company, with these roles, and makes a one-time link for them.
contact-change = Change address and numbers
contact-key = This person has a way in, so it takes your passkey. They are told, by mail at the old address and the new one.
contact-no-key = This person has neither a role nor a factor.
contact-phone-hint = The desk calls a new number back only after 30 days.
contact-save = Save
notice-invited = { $by } made a one-time link into your account. If you did not expect it, tell an administrator.
notice-switched-off = { $by } switched your account off. Every session of yours has ended.
notice-switched-on = { $by } switched your account on again.
notice-switched-on-other = { $by } switched { $name } on again. If that surprises you, ask.
notice-contact-changed = { $by } changed how you are reached: { $fields }. If you did not expect it, tell an administrator at once.
notice-codes-guessed = Somebody gave your password, and then one wrong code after the other. Nobody was let in. If it was not you, change your password at once.
