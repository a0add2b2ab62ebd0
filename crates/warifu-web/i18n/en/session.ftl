## Roles, and the views that every desk starts with
role-agent = Agent
role-administrator = Administrator
role-super-administrator = Super administrator
role-responder = Responder
role-organization-administrator = Organization administrator
role-customer = Customer
view-mine = My cases
view-unassigned = Unassigned
view-active = All active
view-waiting = Waiting on customer
