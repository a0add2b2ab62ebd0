## People and organizations
people-of = of <b>{ $name }</b>
people-words = Name, email or user name
people-type = User type
people-email = Email
people-role = Role
people-last = Last sign-in
people-none = Nobody found
people-none-text = Try fewer letters, or take a filter off.
personal = personal
person-record = Record
person-as-of = This is the record <b>as of { $time }</b>, revision { $n }. It has changed since.
person-now = As it is now
fields-count = { $n ->
    [one] { $n } field
   *[other] { $n } fields
  }
versions = Versions
version-first = First version
revision = revision { $n }
administrators = Administrators
organizations-words = Name of the organization
organizations-none = No organization found
organization-environment = Environment
organization-products = Products
organization-open-cases = Open cases
organization-people = { $n ->
    [one] { $n } person
   *[other] { $n } people
  }
organization-about = About
cases-all = All cases
import-dry = dry run
import-bytes = { $done } of { $total } bytes read.
import-added = Added
import-changed = Changed
import-same = As they were
import-rejected = Refused rows
import-rejects = Refused rows, the first ones
import-rejects-file = All refused rows
import-line = Line
import-column = Column
import-why = Why
import-file = File
import-file-text = CSV, TSV or JSON lines with the 15 fields of a person. People are matched by email address.
import-choose = File with people
import-limit = Up to { $size }. It is read as a stream and not kept.
import-dry-label = Only try, change nothing
import-dry-hint = Shows what would be added, changed and refused
import-start = Read the file
import-earlier = Imports before
started = Began
stop = Stop
leave-page = You can leave this page.
look-again = Look again
state-queued = Ready
state-running = Running
state-done = Done
state-cancelled = Stopped
state-failed = Failed

## Roles
roles = Roles
roles-text = What they may do at the desk. It holds from their next request on, and stands in the ledger.
roles-change = Change the roles
roles-refused = Your passkey did not prove you. Nothing was changed.
