## The frame of every page, and words that many pages share
skip = Skip to the page
menu = Menu
menu-close = Close menu
close = Close
rail = Navigation and session
search-or-jump = Search or jump
decisions = Needs your decision
decisions-count = Needs your decision: { $n }
nav-main = Main
nav-desk = Desk
nav-customers = Customers
nav-evidence = Evidence
nav-administration = Administration
organizations = Organizations
people = People
import = Import people
reports = Reports
runs = Report runs
ledger = Export ledger
incident-room = Incident room
session-yours = Your session
session-bound-both = Device and { $network } match
session-bound-network = { $network } matches
session-left = Session
session-idle = Idle
my-passkeys = My passkeys
shortcuts = Shortcuts
sign-out = Sign out
theme-light = Light
theme-dark = Dark
save = Save
cancel = Cancel
older = Older
newer = Newer
nobody = nobody
none = none
blank = blank
remove = Remove
add = Add
filters = Filters
filter-apply = Apply
filter-remove = Remove filter { $name }
filter-clear = Clear all
search = Search
print = Print
download = Download
name = Name
optional = optional

## Sizes and times
bytes = { $n ->
    [one] { $n } byte
   *[other] { $n } bytes
  }
span-days = { $n } d
span-hours = { $n } h
span-minutes = { $n } min
span-seconds = { $n } s
ago = { $span } ago
ago-now = just now

## Idle warning, palette, connection
offline = No connection. What you wrote is kept.
idle-warning = 2 minutes until you are signed out
idle-warning-text = Nothing was used for a while. Drafts are kept in this browser.
idle-stay = Stay signed in
palette-label = Search cases, people and actions
palette-results = Results
palette-choose = choose
palette-open = open
palette-tab = open in a new tab
palette-recorded = Searches are recorded
table-of = Table: { $name }
