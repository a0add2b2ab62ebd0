## The incident room
incident = Incident
incidents = Incidents
incident-new = New incident
incident-open-it = Open the incident
incident-title = The question
incident-title-hint = For instance: What was in the download of 28 September?
incident-summary = What is known so far
incident-downloads = Downloads explained
incident-matched = { $n } of { $total }
incident-opened = Opened
incident-is-open = Open
incident-is-closed = Closed
incidents-none = No incident
incidents-none-text = When a download is known by its size alone, this is where it is found out what was in it.
on-this-page = On this page
recorded-downloads = Recorded downloads
recorded-downloads-text = What a log outside of Warifu kept: time, size, and whatever else.
recorded-download = Recorded download
bytes-word = bytes
re-created-from = Re-created from candidate { $n }
not-found-yet = No definition found yet
difference = Difference
difference-bytes = Difference in bytes
telemetry-add = Enter another download
telemetry-bytes = Bytes
telemetry-tolerance = Tolerance
telemetry-tolerance-hint = 0 for exact, or 0.1%, or 64KiB
telemetry-measure = The size measures
telemetry-at = Time
telemetry-at-hint = UTC, as
telemetry-search = Record it and search
candidates = Candidates
candidates-question = Which definition gives exactly { $n } bytes?
candidates-none = No definition gives this size
candidates-none-text = Allow a tolerance, another way of measuring, or a wider time.
candidates-shown = The { $n } best of { $total } that fit
candidate-verify = Make the file and compare
matching-running = { $n } of { $total } steps of the search are done.
matching-nearest = Nearest so far: { $n } bytes away.
matching-done = { $n } definitions were searched in { $seconds } s.
matching-filters = { $n ->
    [one] { $n } filter
   *[other] { $n } filters
  },
matching-space = { $dialects ->
    [one] { $dialects } dialect
   *[other] { $dialects } dialects
  }, { $states ->
    [one] { $states } moment
   *[other] { $states } moments
  } of the data.
rank = Rank
meaning = What it means
certain = Certain
possible = Possible
excluded = Excluded
nothing = nothing
narrow = What would narrow it most: <b>{ $fact }</b>
size-no-proof = A size is not a proof. What is certain holds for every candidate alike.
why-differed = Why it differed
diff-region = Both definitions
exposure = Who and what was exposed
exposure-short = Exposure
exposure-administrators = { $n ->
    [one] { $n } administrator
   *[other] { $n } administrators
  }
exposure-only = Only name and email
exposure-more = More contact data
exposure-more-what = phone, mobile or address
exposure-more-short = More
exposure-note = No passwords, no factors and no secrets are among the fields. Names and email of administrators are enough for phishing.
chart-contact = Contact data on record
chart-contact-sub = { $n ->
    [one] 1,000 squares for { $n } person
   *[other] 1,000 squares for { $n } people
  }
waffle-title = { $n } of 1,000 squares: only full name and email. { $rest } of 1,000: also a phone, mobile or address.
legend-only = full name and email only, { $share }
legend-more = more, { $share }
chart-sizes = People in each organization
chart-sizes-sub = { $n ->
    [one] { $n } organization
   *[other] { $n } organizations
  }
chart-fields = How many people had each field filled
chart-top = Organizations with the most people
chart-months = When these records were last used
share = Share
field = Field
timeline = Timeline
timeline-and-evidence = Timeline and evidence
evidence = Evidence
evidence-bundle = Evidence bundle
evidence-note = Asks for your passkey. No names are in it; the re-created file itself stays sealed.
bundle-digest = SHA-256 of the bundle
