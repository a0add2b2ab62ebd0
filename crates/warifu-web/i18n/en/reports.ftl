## Reports
report = Report
report-new = New report
report-saved = Saved reports
reports-none = No report yet
reports-none-text = The first one starts with a filter. You can remove it later, and that will be asked about.
report-filter = Filter
report-no-filter = no filter
report-needs-approval = needs approval
report-fields = Fields
report-fields-all = All
report-fields-none = None
report-fields-note = Personal. The percentage is how many records have it filled.
report-personal = { $n } personal
report-format = Format
report-format-text = Each of these changes the bytes. They are kept with every run.
report-not-saved = not saved
report-as-of = Data as of { $time }
report-save = Save the definition
report-run = Run
report-count = Count exactly and show rows
report-what = What it is about
report-name = Name of the report
report-subject = Records
report-order = Order
report-limit = Most rows
report-limit-hint = Empty for all. With a limit the order decides who is in the file.
order-direction = Direction
order-up = ascending
order-down = descending
order-add = Add a key
order-remove = Remove this key
of = { $n } of { $total }
version = Version { $n }
versions-earlier = { $n ->
    [one] { $n } earlier version
   *[other] { $n } earlier versions
  }
filter-group = Group of conditions { $path }
filter-holds = A record is in the report when
filter-all = all of these hold
filter-any = any of these holds
filter-column = Field of condition { $path }
filter-operator = Comparison of condition { $path }
filter-value = Value of condition { $path }
filter-add = Add a condition
filter-add-group = Add a group
filter-remove-group = Remove this group
preview = Preview
preview-rows = { $n } of { $total } rows, contact data masked
preview-region = Rows of the preview
preview-none = Count to see how many rows and bytes the file would have.
definition = Definition
definition-text = This text and the moment of the data are all it takes to re-create the same file, byte for byte.
definition-region = Text of the definition
definition-digest = SHA-256 of the definition
leaves = What leaves
leaves-none = Not counted yet.
leaves-over = { $n } of 4 over your limit
gauge-people = Rows
gauge-organizations = Organizations
gauge-personal = Personal fields
gauge-bytes = Bytes
gauge-of = of { $n }
gauge-limit = limit { $n }
gauge-no-limit = no limit
gauge-over = over the limit
gauges-note = Bars grow by powers of ten. The mark is your limit.
decision-no-filter = No filter is set. This report would contain everyone.
decision-removed = You removed <b>{ $filter }</b>. { $n ->
    [one] With it the file has { $n } row
   *[other] With it the file has { $n } rows
  }
decision-removed-size = and { $n } bytes.
decision-without = As it stands: { $n ->
    [one] { $n } row
   *[other] { $n } rows
  } of { $organizations ->
    [one] { $organizations } organization
   *[other] { $organizations } organizations
  }
decision-without-size = and { $n } bytes.
decision-restore = Put the filter back
decision-keep-all = Keep everyone and say why
decision-over = This report is over your limit
decision-narrow = Narrow the filter
decision-ask = Keep it and say why
approval = Decision
approval-needed = Needed
approval-text = Such a report runs only for somebody with the right to it, with a reason and their passkey. Right and reason are kept with the run.
approver = Approver
purpose = What is it for?
purpose-hint = Kept with the run. Customers with people or cases in the report can read it.
approval-ask = Run it all the same
report-step-up = This asks for your passkey, for exactly the report that is counted here. Nothing was prepared. Look at the numbers, then use the button again, with JavaScript on.
approval-seen = { $n ->
    [one] { $n } organization
   *[other] { $n } organizations
  } have people in it and can read your words.

## Runs and replay
runs-none = No run yet
runs-none-text = Every run stands here with its bytes, its digest and who it was for.
who = Who
what = What
when = When
rows = Rows
bytes-made = Bytes made
bytes-sent = Bytes sent
network = Network
run-file = File
run-download = Download, { $n } bytes
run-step-up = Asks for your passkey.
run-file-until = The file goes at { $time }. The record stays.
run-file-gone = The file is gone. It can be re-created from the record.
receipt = Receipt
receipt-entry = <b>Entry { $n }</b>
receipt-open = In the ledger
re-create = Re-create
re-created = Re-created
recorded = Recorded
not-recorded = not recorded
not-yet = not yet
data-as-of = Data as of
fields-personal = { $n }, of them { $personal } personal
approved-by = Approved by
sha-256 = SHA-256
downloads = Downloads
downloads-none = Nobody has downloaded it.
download-aborted = aborted
entry-no = No.
replay-title = { $name }, re-created
replay-halves = Recorded and re-created
replay-missing = is being made
replay-running = { $n } of { $total } bytes compared, all identical so far
replay-identical = <b>Identical</b>, every byte, made in { $seconds } s
replay-differs = <b>Not identical.</b> The first difference is at byte { $n }.
replay-no = <b>Not identical</b>
replay-not-yet = Not re-created yet
replay-impossible = It cannot be re-created.
