//! Ledger entries as events of the Open Cybersecurity Schema Framework 1.5: classes Authentication
//! (3002), Account Change (3001) and API Activity (6003). Ids only, as in the ledger.

use serde_json::{Value, json};
use warifu_ledger::{Entry, Kind};

/// Class and activity of an event.
struct Class {
    uid: u32,
    activity: u32,
    name: &'static str,
}

/// Authentication: 1 Logon, 2 Logoff, 99 Other.
fn authentication(activity: u32, name: &'static str) -> Class {
    Class { uid: 3002, activity, name }
}

/// Account Change: 1 Create, 2 Enable, 5 Disable, 99 Other and what stands between.
fn account(activity: u32, name: &'static str) -> Class {
    Class { uid: 3001, activity, name }
}

/// API Activity: 1 Create, 2 Read, 3 Update, 4 Delete, 99 Other.
fn api(activity: u32, name: &'static str) -> Class {
    Class { uid: 6003, activity, name }
}

/// The event of an entry; `None` for what is not about access.
pub fn event(number: i64, entry: &Entry) -> Option<Value> {
    let body = &entry.body;
    let added = body["change"] == "added";
    let (class, failed, severity) = match entry.kind {
        Kind::SignIn => (authentication(1, "Logon"), false, 1),
        Kind::SignInRefused => (authentication(1, "Logon"), true, 3),
        Kind::SignOut => (authentication(2, "Logoff"), false, 1),
        Kind::SessionRevoked => (authentication(2, "Logoff"), false, 4),
        Kind::StepUp => {
            let failed = body["passed"] == false;
            (authentication(99, "Step-up"), failed, if failed { 4 } else { 1 })
        }
        Kind::Enrolment if added => (account(10, "MFA Factor Enable"), false, 3),
        Kind::Enrolment => (account(11, "MFA Factor Disable"), false, 3),
        Kind::RoleChange if added => (account(7, "Attach Policy"), false, 3),
        Kind::RoleChange => (account(8, "Detach Policy"), false, 3),
        Kind::Verification => (account(99, "Verification"), body["passed"] == false, 3),
        Kind::PolicyChange | Kind::KeyChange => (api(3, "Update"), false, 4),
        Kind::ProtectedAction => match body["action"].as_str() {
            Some("change_password") => (account(3, "Password Change"), false, 3),
            Some("switch_person_on") => (account(2, "Enable"), false, 4),
            Some("switch_person_off") => (account(5, "Disable"), false, 3),
            _ => (api(3, "Update"), false, 3),
        },
        Kind::ReadingStopped => (api(2, "Read"), true, 4),
        Kind::ReportStart | Kind::TransferStart => (api(2, "Read"), false, 2),
        Kind::ReportRefused => (api(2, "Read"), true, 3),
        _ => return None,
    };
    Some(filled(number, entry, &class, failed, severity))
}

fn filled(number: i64, entry: &Entry, class: &Class, failed: bool, severity: u32) -> Value {
    let (category, category_name, class_name) = match class.uid {
        6003 => (6, "Application Activity", "API Activity"),
        3001 => (3, "Identity & Access Management", "Account Change"),
        _ => (3, "Identity & Access Management", "Authentication"),
    };
    let actor = entry.actor.as_ref().and_then(|a| a.person.clone());
    let owner = ["person", "target"].iter().find_map(|n| entry.body[n].as_str());
    let owner = owner.map(str::to_owned).or_else(|| actor.clone());
    let user =
        |id: Option<String>| json!({ "uid": id.unwrap_or_else(|| "0".into()), "type_id": 0 });
    let reason =
        ["reason", "action", "policy", "cause"].iter().find_map(|n| entry.body[n].as_str());
    let mut event = json!({
        "activity_id": class.activity,
        "activity_name": class.name,
        "category_uid": category,
        "category_name": category_name,
        "class_uid": class.uid,
        "class_name": class_name,
        "type_uid": class.uid * 100 + class.activity,
        "severity_id": severity,
        "status_id": if failed { 2 } else { 1 },
        "status": if failed { "Failure" } else { "Success" },
        "time": entry.at / 1_000,
        "message": entry.kind.as_str(),
        "metadata": {
            "version": "1.5.0",
            "uid": number.to_string(),
            "log_name": "ledger",
            "product": { "name": "Warifu", "vendor_name": "Warifu", "version": env!("CARGO_PKG_VERSION") },
        },
        "actor": { "user": user(actor) },
        "unmapped": entry.body,
    });
    if let Some(reason) = reason {
        event["status_detail"] = reason.into();
    }
    if let Some(session) = &entry.session {
        event["actor"]["session"] = json!({ "uid": session.to_string() });
    }
    if let Some(network) = &entry.network {
        event["src_endpoint"] = json!({ "subnet_uid": network.prefix });
        if let Some(asn) = network.asn {
            event["src_endpoint"]["autonomous_system"] = json!({ "number": asn });
        }
    }
    match class.uid {
        6003 => {
            event["api"] = json!({ "operation": reason.unwrap_or(entry.kind.as_str()) });
            if event["src_endpoint"].is_null() {
                event["src_endpoint"] = json!({ "name": "server" });
            }
        }
        _ => event["user"] = user(owner),
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The attributes that OCSF 1.5 requires of each class.
    fn required(class: u64) -> &'static [&'static str] {
        match class {
            3001 | 3002 => &["user"],
            6003 => &["actor", "api", "src_endpoint"],
            _ => panic!("a class that is none of ours: {class}"),
        }
    }

    const ALL: &[&str] = &[
        "activity_id",
        "category_uid",
        "class_uid",
        "metadata",
        "severity_id",
        "time",
        "type_uid",
    ];

    #[test]
    fn every_event_has_what_its_class_requires() {
        let bodies = [
            json!({}),
            json!({ "change": "added", "person": "7" }),
            json!({ "passed": false }),
            json!({ "action": "switch_person_off", "target": "7" }),
        ];
        for kind in Kind::ALL {
            for body in &bodies {
                let entry = Entry::new(*kind, 1_700_000_000_000_000, body.clone());
                let Some(event) = event(3, &entry) else { continue };
                let class = event["class_uid"].as_u64().unwrap();
                for name in ALL.iter().chain(required(class)) {
                    assert!(!event[name].is_null(), "{kind}: {name} is missing in {event}");
                }
                assert_eq!(
                    event["type_uid"].as_u64().unwrap(),
                    class * 100 + event["activity_id"].as_u64().unwrap()
                );
                assert_eq!(event["time"], 1_700_000_000_000_i64, "milliseconds");
            }
        }
    }

    #[test]
    fn switching_somebody_off_is_about_them() {
        let body = json!({ "action": "switch_person_off", "target": "7" });
        let event = event(3, &Entry::new(Kind::ProtectedAction, 0, body)).unwrap();
        assert_eq!((&event["class_uid"], &event["activity_id"]), (&json!(3001), &json!(5)));
        assert_eq!(event["user"]["uid"], "7");
    }

    #[test]
    fn what_is_not_about_access_stays_here() {
        let entry = Entry::new(Kind::CaseChange, 0, json!({}));
        assert_eq!(event(1, &entry), None);
    }
}
