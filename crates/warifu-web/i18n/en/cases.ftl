## The console
cases = Cases
case = Case
case-new = New case
organization = Organization
customer = Customer
case-status = Status
case-status-any = Any status
case-priority = Priority
case-priority-any = Any priority
case-assignee = Assigned to
case-assignee-any = Anyone
case-words = Words in subject or messages
case-due = Next due
case-last = Last entry
case-sorted-last = Sorted by last entry
case-unread = new for you
case-select = Select { $case }
case-select-all = Select all
case-unassigned = Unassigned
case-tags = Tags
case-tags-none = No tags
case-tags-hint = Separated by commas
case-solve = Solve
case-assign = Assign
case-set-status = Set the status
case-set-priority = Set the priority
case-next-update = Next update in <b>{ $due }</b>
case-copy-link = Copy link to this case
case-link-copied = The link was copied
case-for = Who is it for?
case-for-hint = Email or user name of a person. The organization follows from it.
case-subject = Subject
case-text = What happened?
case-open-it = Open the case
cases-empty = Nothing is waiting
cases-empty-text = Every case of this view has an owner and a next date.
cases-none-match = No case matches all filters
cases-none-match-text = Take one off to see more.
bulk-with = With the selected cases:
bulk-assign = assign to
bulk-status = set status
bulk-do = Carry out
pager-of = { $n } of { $total }
pager-shown = { $n } shown
count = Count
status-new = New
status-open = Open
status-waiting = Waiting on customer
status-solved = Solved
status-closed = Closed
priority-low = Low
priority-normal = Normal
priority-high = High
priority-urgent = Urgent

## A case
conversation = Conversation
entries-earlier = { $n ->
    [one] { $n } earlier entry
   *[other] { $n } earlier entries
  }
note-side = Internal note. The customer cannot see it.
presence-writing = { $name } is writing
presence-viewing = { $name } is viewing
presence-seen = Your access is shown to the customer
event-opened = <b>{ $who }</b> opened the case
event-took = <b>{ $who }</b> took the case
event-assigned = <b>{ $who }</b> gave the case to <b>{ $what }</b>
event-status = <b>{ $who }</b> set the status to <b>{ $what }</b>
event-priority = <b>{ $who }</b> set the priority to <b>{ $what }</b>
event-tags = <b>{ $who }</b> set the tags to <b>{ $what }</b>
event-file = <b>{ $who }</b> opened the file <b>{ $what }</b>
file-open = Open
file-open-name = Open { $name }
file-was = was { $n }
file-cleaned = { $cookies ->
    [one] { $cookies } cookie
   *[other] { $cookies } cookies
  } and { $tokens ->
    [one] { $tokens } token
   *[other] { $tokens } tokens
  } removed
file-cleaned-before = before it was stored. The original was not kept.
file-removed-what = What was removed, and from where
file-removed-in = Removed from { $name }
file-kind = Kind
file-where = Where
answer = Answer
answer-who-reads = Who will read this
answer-text = Your text
reply = Reply
note = Internal note
composer-to = { $followers ->
    [0] to <b>{ $name }</b>
    [one] to <b>{ $name }</b> and { $followers } follower
   *[other] to <b>{ $name }</b> and { $followers } followers
  }
composer-only = seen by <b>{ $who } only</b>
attach = Attach files
draft-kept = Draft kept
after-sending = After sending
after-keep = Keep open
after-waiting = Set to waiting
after-solved = Set to solved
reply-send = Send reply
note-save = Save note
arrived-customer = { $name } replied while you were typing
arrived-colleague = { $name } answered while you wrote
arrived-text = It came at { $time }. Yours has not been sent.
arrived-read = Read it first
arrived-send = Send mine too
dossier-cases = Other cases
dossier-cases-all = All { $n }
dossier-access = Our access, last 30 days
keyboard = Keyboard
hint-walk = next, previous
hint-reply = reply
hint-note = note
hint-assign = assign
hint-status = status
hint-ledger = ledger
hint-all = all shortcuts

## Search, palette, shortcuts
search-title = Search for { $q }
search-what = Cases, people, organizations
search-none = Nothing found for { $q }
search-none-text = Three letters or more find parts of words, in Japanese and English.
search-more = There is more. Add a word to narrow it.
palette-none = Nothing found
shortcuts-lead = Every act also works with a link or a button. Single keys do nothing while you type.
shortcuts-all = All shortcuts
shortcuts-own = Your own keys
shortcuts-own-text = Kept in this browser only.
shortcuts-noscript = Shortcuts need JavaScript.
shortcuts-off = Turn single keys off
shortcuts-reset = As they were
saved = Saved
key-next = Next case in the list
key-previous = Previous case in the list
key-mark = Mark the case in the list
key-reply = Reply
key-note = Internal note
key-assign = Assign
key-status = Status
key-solve = Solve
key-new = New case
key-filter = Filter
key-search = Search field
key-go-ledger = Go to the export ledger
key-go-open = Go to all cases
key-go-people = Go to people
key-go-reports = Go to reports
key-help = All shortcuts
key-send = Send what you write
key-close = Close, without deciding
