## The customers' portal
portal = Customer support
portal-cases = Your cases
portal-cases-of = Cases of { $name }
portal-mine = Mine
portal-everyone = Everyone’s
portal-whose = Whose
times-in = Times: { $zone }
portal-mine-text = You see the cases that you opened.
portal-everyone-text = You see all of them as an administrator. Members see their own.
portal-none = No case yet
portal-none-text = When something does not work, or you have a question, open one.
portal-opened-by = Opened by
portal-at = At { $who }
portal-next = Next update
portal-not-yet = not yet assigned
portal-status-new = Received
portal-status-open = Being worked on
portal-status-waiting = Waiting for you
portal-status-solved = Solved
portal-status-closed = Closed
portal-product = Product
portal-about = What is it about?
portal-what = What happened, and what did you expect?
portal-no-secrets = Please no passwords and no tokens. We never need them.
portal-urgency = How urgent is it?
portal-files = Files
portal-files-hint = HAR, logs, screenshots, up to { $size } each.
portal-har = Cookies and tokens are taken out of a HAR file before it is stored. You get a list of what was removed.
portal-send = Send the case
portal-good-to-know = Good to know
portal-seen-by = Who will see it
portal-here = Here
portal-follow-who = Followed by
portal-close = It is solved, close it
portal-answer = Your answer
portal-answer-send = Send answer
portal-is-closed = This case is closed. Open a new one if it comes back.
portal-about-case = About this case
portal-opened-times = People of { $who } have opened this case { $n ->
    [one] { $n } time
   *[other] { $n } times
  }.
