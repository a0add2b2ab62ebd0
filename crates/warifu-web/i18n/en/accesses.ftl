## What the vendor has seen of an organization, for its administrators
seen = Access transparency
seen-lead = Every time someone of { $who }, or a program of theirs, opened a case, a file or a person of { $name }, or made a report with your people or cases in it. Nobody there can switch this off.
seen-fig-all = Accesses, { $n } weeks
seen-fig-by = { $people ->
    [0] by nobody
    [one] by { $people } person
   *[other] by { $people } people
  }{ $programs ->
    [0] {""}
    [one] {" "}and { $programs } program
   *[other] {" "}and { $programs } programs
  }
seen-fig-cases = Cases opened
seen-fig-different-cases = of { $n ->
    [one] { $n } case
   *[other] { $n } cases
  }
seen-fig-files = Files opened
seen-fig-different-files = of { $n ->
    [one] { $n } file
   *[other] { $n } files
  }
seen-fig-people = People opened
seen-fig-people-where = alone and in lists
seen-fig-reports = In reports
seen-fig-unfiltered = { $n ->
    [0] none over everybody
   *[other] { $n } over everybody
  }
seen-fig-no-reason = Without a reason
seen-fig-no-reason-of = reports that left
seen-weeks = Accesses by week
seen-weeks-title = Weeks from { $day }: { $values }
seen-week = { $n } ({ $without } without a reason)
seen-list = Accesses
seen-table = Table of accesses
seen-kind = Kind
seen-kind-all = All but lists
seen-kind-case = Cases
seen-kind-file = Files
seen-kind-person = People
seen-kind-report = Reports
seen-kind-list = Lists of cases
seen-none = Nothing to list
seen-none-text = As soon as someone of { $who } opens something of yours, it stands here.
seen-when = When
seen-when-in = When, { $zone }
seen-who-at = Who at { $who }
seen-what = What
seen-why = Why
seen-from = From
seen-bytes = Bytes
seen-number = no. { $n }
seen-gone = Somebody whose record was erased
seen-program = program
seen-not-asked = not asked
seen-not-kept = not kept
seen-from-unknown = not known
seen-from-server = the server itself
seen-case = Opened the case { $case }
seen-why-assigned = { $case }, assigned
seen-cases = Saw a list with { $n } of your cases
seen-cases-one = Saw the case { $case } in a list
seen-file = Opened the file { $name }
seen-person = Opened the person { $name }
seen-person-gone = Opened a person whose record was erased
seen-listed-one = Saw { $name } in a list
seen-listed-gone = Saw somebody in a list whose record was erased
seen-listed = Saw a list with { $n } of your people
seen-in-search = a search
seen-in-sessions = who is signed in
seen-in-checks = checks of callers
seen-in-security = who is not safe from phishing
seen-in-organization = your organization’s page
seen-why-check = a check of a caller
seen-report-people = { $n ->
    [one] Downloaded a report with one of your people
   *[other] Downloaded a report with { $n } of your people
  }
seen-report-everybody = { $n ->
    [one] Downloaded a report with your one person
   *[other] Downloaded a report with all { $n } of your people
  }
seen-report-cases = { $n ->
    [one] Downloaded a report with one of your cases
   *[other] Downloaded a report with { $n } of your cases
  }
seen-report-organization = Downloaded a report with your organization in it
seen-refused-people = { $n ->
    [one] Was refused a report with one of your people
   *[other] Was refused a report with { $n } of your people
  }
seen-refused-everybody = { $n ->
    [one] Was refused a report with your one person
   *[other] Was refused a report with all { $n } of your people
  }
seen-refused-cases = { $n ->
    [one] Was refused a report with one of your cases
   *[other] Was refused a report with { $n } of your cases
  }
seen-refused-organization = Was refused a report with your organization in it
seen-remade-people = { $n ->
    [one] Made a file once more with one of your people
   *[other] Made a file once more with { $n } of your people
  }
seen-remade-everybody = { $n ->
    [one] Made a file once more with your one person
   *[other] Made a file once more with all { $n } of your people
  }
seen-remade-cases = { $n ->
    [one] Made a file once more with one of your cases
   *[other] Made a file once more with { $n } of your cases
  }
seen-remade-organization = Made a file once more with your organization in it
seen-fields = { $n ->
    [one] { $n } field: { $names }
   *[other] { $n } fields: { $names }
  }
seen-unfiltered = no filter
seen-leaving = leaves now
seen-broken-off = broken off
seen-unknown-end = the server stopped meanwhile: all of it may have left
seen-nothing-made = nothing was made
seen-no-reason = none given
seen-counts = A case counts once an hour for each of their sessions. Lists in which your cases stand with number and subject have a list of their own and are not in the figures.
seen-kept-since = This list begins on { $at }. { $who } can look up in the record what was before.
seen-chain = This list is drawn from a chained record with { $n } entries. Its head is now
seen-check = How to check it yourself
seen-check-text = Keep the text below where nobody at { $who } can change it. It is signed and stands for all entries so far. Later, ask them for an entry by its number and for its proof: with both and your copy, public tools show whether the entry is the same as today.
seen-checkpoint = Signed head of the record
