## Roles, and the views that every desk starts with
role-agent = 担当者
role-administrator = 管理者
role-super-administrator = 特権管理者
role-responder = インシデント対応者
role-organization-administrator = 組織管理者
role-customer = お客様
view-mine = 自分の案件
view-unassigned = 未割り当て
view-active = 対応中のすべて
view-waiting = お客様の返信待ち
